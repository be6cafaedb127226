import type { Identified, Identity, IdentifyOptions, TrackMateOptions } from './api.js';
import { startClient, type Client } from './client.js';
import { safely } from './safely.js';

/** A call of the page, as the snippet's stub writes it down: the time of the call is the time of the event. */
export type Call = [method: string, args: ArrayLike<unknown>, time: number, told?: ((answer: Identified) => void) | undefined];

/** What a page may call before `init`. */
const MOST_CALLS = 500;

let client: Client | undefined;
const waiting: Call[] = [];

/** Does what the page called, now or, before `init` and while the page is only prerendered, later. */
export function perform(call: Call): void {
  const [method, args, time, told] = call;
  const giveUp = (): void => told?.({ profileId: null });
  let done = false;
  safely(() => {
    if (method === 'init') {
      init(args[0], args[1], args[2] as TrackMateOptions | null);
    } else if (!client || prerendering()) {
      if (waiting.length >= MOST_CALLS) return;
      waiting.push(call);
    } else if (method === 'track') {
      client.track(time, args[0] as string, args[1] as object | undefined);
    } else if (method === 'trackPageView') {
      client.trackPageView(time);
    } else if (method === 'identify') {
      client.identify(time, told ?? (() => {}), args[0] as Identity, args[1] as IdentifyOptions | undefined);
    } else if (method === 'reset' || method === 'optOut' || method === 'optIn') {
      client[method]();
    }
    done = true;
  })();
  if (!done) giveUp();
}

/** The session's id as of now; a call that waits has not made one yet. */
export function presentSessionId(): string | null {
  let id: string | null = null;
  safely(() => {
    id = client?.getSessionId() ?? null;
  })();
  return id;
}

function init(companyId: unknown, apiUrl: unknown, options: TrackMateOptions | null | undefined): void {
  if (client || typeof window === 'undefined') return;
  if (typeof companyId !== 'string' || !companyId || typeof apiUrl !== 'string') {
    console.warn('TrackMate: init needs a company id and the address of the server');
    return;
  }
  client = startClient(companyId, apiUrl.replace(/\/+$/, ''), options ?? {});
  if (prerendering()) document.addEventListener('prerenderingchange', () => replay(Date.now()), { once: true });
  else replay();
}

/** @param now - The time to use instead of the calls' own: a prerendered page is visited when it is shown. */
function replay(now?: number): void {
  for (const [method, args, time, told] of waiting.splice(0)) perform([method, args, now ?? time, told]);
}

/** A page that the browser loads on suspicion has no visitor yet, and may never have one. */
function prerendering(): boolean {
  return !!(document as { prerendering?: boolean }).prerendering;
}
