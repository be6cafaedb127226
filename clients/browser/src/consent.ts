import { attempt } from './safely.js';
import type { KeptValues } from './storage.js';

/** The name of the one value that may be stored of a visitor who has opted out. */
export const OPTED_OUT = 'optout';

/**
 * Whether this visitor must not be tracked. The choice is read at each question, never remembered here: another tab may
 * have changed it.
 *
 * @param storage - Where the choice is kept: localStorage, even for a site that keeps all else in memory.
 */
export function stopsAll(storage: KeptValues, respectDoNotTrack: boolean | undefined): boolean {
  return (respectDoNotTrack && attempt(browserSaysNo)) || !!storage.lookUp(OPTED_OUT);
}

function browserSaysNo(): boolean {
  const { doNotTrack, globalPrivacyControl } = navigator as { doNotTrack?: unknown; globalPrivacyControl?: unknown };
  return /1|true/.test(`${doNotTrack}${globalPrivacyControl}`);
}
