import type { KeptValues } from './storage.js';

/** The name of the one value that may be stored of a visitor who has opted out. */
export const OPTED_OUT = 'optout';

/** Whether this visitor may be tracked. */
export interface Consent {
  stopped(): boolean;
  optOut(): void;
  optIn(): void;
}

/**
 * The choice is read at each question, never remembered here: another tab may have changed it.
 *
 * @param storage - Where the choice is kept: localStorage, even for a site that keeps all else in memory.
 */
export function openConsent(storage: KeptValues, respectDoNotTrack: boolean): Consent {
  return {
    stopped: () => (respectDoNotTrack && browserSaysNo()) || storage.get(OPTED_OUT) !== undefined,
    optOut: () => storage.set(OPTED_OUT, '1'),
    optIn: () => storage.remove(OPTED_OUT),
  };
}

function browserSaysNo(): boolean {
  const { doNotTrack, globalPrivacyControl } = navigator as { doNotTrack?: unknown; globalPrivacyControl?: unknown };
  return doNotTrack === '1' || doNotTrack === 'yes' || globalPrivacyControl === true;
}
