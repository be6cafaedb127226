import { note } from './safely.js';
import type { Message } from './queue.js';

const TIMEOUT = 30_000;
const DAY = 86_400_000;

/** What became of one request. `status` is 0 where there was no answer at all. */
export interface Answer {
  status: number;
  /** How long the server asks to wait, in milliseconds. */
  wait: number;
  body: { profileId?: string | null; rejected?: unknown[]; detail?: string };
}

/** Sends one identify, or events that share their session and context, in one request. */
export async function send(apiUrl: string, companyId: string, messages: Message[], leaving: boolean): Promise<Answer> {
  const [{ identity, sessionId, context }] = messages as [Message];
  const url = `${apiUrl}/api/${identity ? 'profile' : 'events'}`;
  const body = JSON.stringify({
    company_id: companyId,
    sessionId,
    ...identity,
    sentAt: new Date().toISOString(),
    ...(identity ? {} : { context, events: messages.map(({ event }) => event) }),
  });
  const silence: Answer = { status: 0, wait: 0, body: {} };

  // A browser without keepalive would cancel the request with the page.
  if (leaving && !('keepalive' in Request.prototype)) {
    beacon(url, body);
    return silence;
  }
  try {
    const response = await fetch(url, {
      method: 'POST',
      // A string travels as text/plain, which needs no CORS preflight; the server reads JSON whatever it is called.
      body,
      mode: 'cors',
      credentials: 'omit',
      keepalive: leaving,
      signal: abortAfter(TIMEOUT),
    });
    const text = await response.text().catch(() => '');
    return { status: response.status, wait: waitOf(response.headers.get('Retry-After')), body: parse(text) };
  } catch (error) {
    note('no answer from', url, error);
    if (leaving) beacon(url, body);
    return silence;
  }
}

/**
 * The second choice when the page goes, because a beacon always carries the cookies of the server's site. Nobody learns
 * whether it arrived, so its messages stay in the queue; their eventIds make the repeat harmless.
 */
function beacon(url: string, body: string): void {
  if (!navigator.sendBeacon?.(url, body)) note('no beacon either');
}

/** An `AbortSignal.timeout` for browsers that lack it. */
export function abortAfter(milliseconds: number): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), milliseconds);
  return controller.signal;
}

/** Retry-After is a number of seconds or a date (RFC 9110). More than a day would overflow a timer's range before long. */
function waitOf(header: string | null): number {
  if (!header) return 0;
  const seconds = Number(header);
  const wait = Number.isNaN(seconds) ? Date.parse(header) - Date.now() : seconds * 1000;
  return Math.min(Math.max(wait || 0, 0), DAY);
}

function parse(text: string): Answer['body'] {
  try {
    return (JSON.parse(text) as Answer['body'] | null) ?? {};
  } catch {
    return {}; // A proxy's page: the status alone decides.
  }
}
