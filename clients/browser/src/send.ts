import { quote } from './json.js';
import type { Message } from './queue.js';
import { attempt, note, OwnPromise } from './safely.js';

const TIMEOUT = 30_000;
const DAY = 86_400_000;

/** What became of one request: its status, 0 where there was no answer at all; Retry-After; and the body. */
type Answer = [status: number, retryAfter: string | null, body: string];

/** The page's `fetch` may be wrapped by its monitoring, and broken by that: then requests go the older way. */
let older = false;

/** Sends one identify, or events that share their session and context, in one request. Never fails. */
export async function send(base: string, companyId: string, messages: Message[], leaving: boolean): Promise<Answer> {
  const { route, envelope, contentJson } = messages[0]!;
  const url = base + route;
  const body =
    `{"company_id":${quote(companyId)},${envelope},"sentAt":"${new Date().toISOString()}",` +
    (route === 'events' ? `"events":[${messages.map((message) => message.contentJson)}]}` : contentJson.slice(1));

  try {
    const answer = await new OwnPromise<Answer>((resolve, reject) => {
      // What a page's own `fetch` promises may never come.
      setTimeout(reject, TIMEOUT);
      if (older && !leaving) {
        const request = new XMLHttpRequest();
        request.open('POST', url);
        request.onloadend = () => resolve([request.status, request.getResponseHeader('Retry-After'), request.responseText]);
        request.send(body);
      } else {
        // A string travels as text/plain, which needs no CORS preflight; the server reads JSON whatever it is called.
        fetch(url, { method: 'POST', body, credentials: 'omit', keepalive: leaving })
          .then(async (response) => resolve([response.status, response.headers.get('Retry-After'), await response.text()]))
          .catch(reject);
      }
    });
    if (answer[0] > 0) return answer;
  } catch (error) {
    note(error);
  }
  if (!leaving) older = !older;
  // The second choice when the page goes, because a beacon always carries the cookies of the server's site. Nobody learns
  // whether it arrived, so its messages stay in the queue; their eventIds make the repeat harmless.
  else attempt(() => navigator.sendBeacon(url, body));
  return [0, null, ''];
}

/** Retry-After, a number of seconds or a date (RFC 9110), in milliseconds. More than a day would overflow a timer before long. */
export function waitOf(header: string): number {
  const seconds = +header;
  return Math.min((seconds >= 0 ? seconds * 1000 : Date.parse(header) - Date.now()) || 0, DAY);
}
