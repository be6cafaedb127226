import { attempt } from './safely.js';
import type { KeptValues } from './storage.js';

/** The name of the only value that may be stored for a visitor who has opted out. */
export const OPTED_OUT = 'optout';

/**
 * Whether this visitor must not be tracked. The choice is read each time and never cached, since another tab may have
 * changed it.
 *
 * @param storage - Where the choice is stored: localStorage, even for a site that keeps everything else in memory.
 */
export function stopsAll(storage: KeptValues, respectDoNotTrack: boolean | undefined): boolean {
  return (respectDoNotTrack && attempt(browserSaysNo)) || !!storage.lookUp(OPTED_OUT);
}

function browserSaysNo(): boolean {
  const { doNotTrack, globalPrivacyControl } = navigator as { doNotTrack?: unknown; globalPrivacyControl?: unknown };
  return /1|true/.test(`${doNotTrack}${globalPrivacyControl}`);
}
