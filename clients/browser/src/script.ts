import type { TrackMateApi } from './api.js';
import { perform, type Call } from './calls.js';
import { attempt } from './safely.js';
import { TrackMate } from './trackmate.js';

/** The stub that the snippet installs until this file has loaded. */
type Stub = Partial<TrackMateApi> & { calls?: Call[] };

// Runs when the script tag has loaded. A second load finds the first one, which has a version, and does nothing.
attempt(() => {
  const page = window as { TrackMate?: Stub };
  const stub = (page.TrackMate ??= {});
  if (stub.version) return;
  const calls = stub.calls ?? [];
  // The stub is turned into the real object in place, so that the page's references to it and to its methods still work.
  Object.assign(stub, TrackMate);
  calls.splice(0).forEach((call) => perform(call));
  calls.push = perform as never;
});
