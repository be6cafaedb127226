import { quote } from './json.js';
import type { Message } from './queue.js';
import { attempt, note, OwnPromise } from './safely.js';

const TIMEOUT = 30_000;
const DAY = 86_400_000;

/** The result of one request: its status, 0 if there was no answer; Retry-After; and the body. */
type Answer = [status: number, retryAfter: string | null, body: string];

/** Monitoring scripts of the page may wrap `fetch` and break it. Requests then use XMLHttpRequest. */
let older = false;

/** Sends one identify, or events with the same session and context, in one request. Never fails. */
export async function send(base: string, companyId: string, messages: Message[], leaving: boolean): Promise<Answer> {
  const { route, envelope, contentJson } = messages[0]!;
  const url = base + route;
  const body =
    `{"company_id":${quote(companyId)},${envelope},"sentAt":"${new Date().toISOString()}",` +
    (route === 'events' ? `"events":[${messages.map((message) => message.contentJson)}]}` : contentJson.slice(1));

  try {
    const answer = await new OwnPromise<Answer>((resolve, reject) => {
      // A replaced `fetch` may return a promise that never settles.
      setTimeout(reject, TIMEOUT);
      if (older && !leaving) {
        const request = new XMLHttpRequest();
        request.open('POST', url);
        request.onloadend = () => resolve([request.status, request.getResponseHeader('Retry-After'), request.responseText]);
        request.send(body);
      } else {
        // A string is sent as text/plain, which needs no CORS preflight; the server parses JSON whatever the type.
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
  // Only the second choice when the page closes, since a beacon always carries the cookies of the server's site. It has no
  // answer, so its messages stay in the queue; their eventIds make the repeat harmless.
  else attempt(() => navigator.sendBeacon(url, body));
  return [0, null, ''];
}

/** Retry-After, a number of seconds or a date (RFC 9110), in milliseconds. It is limited to a day, since a long delay would overflow a timer. */
export function waitOf(header: string): number {
  const seconds = +header;
  return Math.min((seconds >= 0 ? seconds * 1000 : Date.parse(header) - Date.now()) || 0, DAY);
}
