import type { TrackMateApi } from './api.js';
import { perform, type Call } from './calls.js';
import { attempt } from './safely.js';
import { TrackMate } from './trackmate.js';

/** What the snippet puts in place until this file has loaded. */
type Stub = Partial<TrackMateApi> & { calls?: Call[] };

// Runs when the script tag has loaded. A second load finds the first one's work, which has a version, and leaves it alone.
attempt(() => {
  const page = window as { TrackMate?: Stub };
  const stub = (page.TrackMate ??= {});
  if (stub.version) return;
  const calls = stub.calls ?? [];
  // The stub becomes the real thing in place, so that a page that holds on to it, or to one of its methods, is still heard.
  Object.assign(stub, TrackMate);
  calls.splice(0).forEach((call) => perform(call));
  calls.push = perform as never;
});
