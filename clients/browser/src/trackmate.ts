import type { Identified, TrackMateApi } from './api.js';
import { perform, presentSessionId } from './calls.js';
import { version } from './context.js';
import { OwnPromise } from './safely.js';

export type * from './api.js';

/** The SDK of this page. There is only one, however often it is imported. */
export const TrackMate = {
  version,
  getSessionId: presentSessionId,
  identify: (...args: unknown[]) => new OwnPromise<Identified>((resolve) => perform(['identify', args, Date.now(), resolve])),
} as TrackMateApi;

for (const method of ['init', 'trackPageView', 'track', 'reset', 'optOut', 'optIn'] as const) {
  TrackMate[method] = (...args: unknown[]): void => perform([method, args, Date.now()]);
}
