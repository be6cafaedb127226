import type { Identified, TrackMateOptions } from './api.js';
import { startClient, type Client } from './client.js';
import { attempt, note, on, warn } from './safely.js';

/** A call of the page as the snippet's stub records it. The time of the call is the time of the event. */
export type Call = [method: Method, args: any, time: number, resolve?: (answer: Identified) => void];

type Method = 'init' | Exclude<keyof Client, 'getSessionId'>;

/** The methods that a page may call before `init`. */
const MOST_CALLS = 500;
const IDENTIFY_TIMEOUT = 5_000;
/** The longest delay of a browser's timers, in milliseconds. A longer one would end at once. */
const LONGEST_TIMER = 2e9;

let client: Client | undefined;
let timeout = IDENTIFY_TIMEOUT;
const waiting: Call[] = [];

/** Runs the page's calls: at once, or later if `init` was not called yet or the page is only prerendered. */
export function perform(call: Call): void {
  const [method, args, time, resolve = () => {}] = call;
  const giveUp = (): void => resolve({ profileId: null });
  try {
    // In Node, during server-side rendering and in a worker there is no visitor. Some of these have a window, but none has
    // a document, which is checked below.
    if (typeof window === 'undefined') throw 0;
    if (method === 'init') {
      init(args[0], args[1], args[2]);
    } else if (!prerendering() && client) {
      client[method](time, args, resolve);
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

/** The current session's id. A call that is still waiting has not created a session yet. */
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

/** @param now - The time to use instead of the calls' own times: a prerendered page is visited when it is shown. */
function replay(now?: number): void {
  for (const call of waiting.splice(0)) {
    call[2] = now ?? call[2];
    perform(call);
  }
}

/** A page that the browser prerenders has no visitor yet, and may never have one. */
function prerendering(): boolean {
  return !!(document as { prerendering?: boolean }).prerendering;
}
