import type { TrackMateApi } from './api.js';
import { perform, presentSessionId } from './calls.js';
import { version } from './context.js';

export type { Identified, IdentifyOptions, Identity, TrackMateApi, TrackMateOptions } from './api.js';

/** The SDK of this page: there is one, however often it is imported. */
export const TrackMate: TrackMateApi = {
  version,
  init: (...args) => perform(['init', args, Date.now()]),
  trackPageView: () => perform(['trackPageView', [], Date.now()]),
  track: (...args) => perform(['track', args, Date.now()]),
  identify: (...args) => new Promise((told) => perform(['identify', args, Date.now(), told])),
  reset: () => perform(['reset', [], Date.now()]),
  optOut: () => perform(['optOut', [], Date.now()]),
  optIn: () => perform(['optIn', [], Date.now()]),
  getSessionId: presentSessionId,
};
