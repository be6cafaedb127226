import type { Identified, TrackMateOptions } from './api.js';
import { startClient, type Client } from './client.js';
import { attempt, note, on, warn } from './safely.js';

/** A call of the page, as the snippet's stub writes it down: the time of the call is the time of the event. */
export type Call = [method: Method, args: any, time: number, told?: (answer: Identified) => void];

type Method = 'init' | Exclude<keyof Client, 'getSessionId'>;

/** What a page may call before `init`. */
const MOST_CALLS = 500;
const IDENTIFY_TIMEOUT = 5_000;
/** What a browser's timers can count, in milliseconds; more would end at once. */
const LONGEST_TIMER = 2e9;

let client: Client | undefined;
let timeout = IDENTIFY_TIMEOUT;
const waiting: Call[] = [];

/** Does what the page called, now or, before `init` and while the page is only prerendered, later. */
export function perform(call: Call): void {
  const [method, args, time, told = () => {}] = call;
  const giveUp = (): void => told({ profileId: null });
  try {
    // In Node, while a page is rendered on a server, in a worker: there is no visitor. Some of these have a window, none a
    // document, which is asked for below.
    if (typeof window === 'undefined') throw 0;
    if (method === 'init') {
      init(args[0], args[1], args[2]);
    } else if (!prerendering() && client) {
      client[method](time, args, told);
    } else if (waiting.push(call) > MOST_CALLS) {
      waiting.pop();
      throw 0;
    }
    if (method === 'identify' && timeout) setTimeout(giveUp, Math.min(timeout, LONGEST_TIMER));
  } catch (error) {
    note('dropped', method, args, error);
    giveUp();
  }
}

/** The session's id as of now; a call that waits has not made one yet. */
export function presentSessionId(): string | null {
  return attempt(() => client?.getSessionId()) ?? null;
}

function init(companyId: unknown, apiUrl: unknown, given: TrackMateOptions | null | undefined): void {
  if (client) return;
  if (!companyId || typeof apiUrl !== 'string') {
    warn('init needs a company');
    return;
  }
  const options = given ?? {};
  timeout = options.identifyTimeout ?? IDENTIFY_TIMEOUT;
  client = startClient(`${companyId}`, apiUrl, options);
  if (prerendering()) on(document, 'prerenderingchange', () => replay(Date.now()));
  else replay();
}

/** @param now - The time to use instead of the calls' own: a prerendered page is visited when it is shown. */
function replay(now?: number): void {
  for (const call of waiting.splice(0)) {
    call[2] = now ?? call[2];
    perform(call);
  }
}

/** A page that the browser loads on suspicion has no visitor yet, and may never have one. */
function prerendering(): boolean {
  return !!(document as { prerendering?: boolean }).prerendering;
}
