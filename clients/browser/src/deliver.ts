import { profileIdIn, type Message, type Route, type Queue } from './queue.js';
import { attempt, note, warn } from './safely.js';
import { waitOf, type send } from './send.js';

/** The contract's limits of a batch; the bytes leave room for the envelope. */
const MOST_EVENTS = 500;
const MOST_BYTES = 1_000_000;
/** What a browser lets a page that is going have on the way, all requests together, is 64 KiB. */
const MOST_BYTES_LEAVING = 60_000;

const SHORTEST_WAIT = 1_000;
const LONGEST_WAIT = 300_000;
const PATIENCE_WITH_OTHER_TABS = 10_000;

/** When and in which order the queue is sent. */
export interface Delivery {
  /** There is, or may be, something for this path in the queue. Somebody waits for an identify: it goes at once. */
  added(route: Route): void;
  /** The network is back. */
  online(): void;
  /** The page may be gone after this: hands all that it can to the browser, and at once what is added from now on. */
  leave(): void;
  /** The page is seen again. */
  comeBack(): void;
}

/**
 * Sends the queue from its oldest message on, one request after the other, so nothing overtakes anything. A request is
 * over when the server has taken its messages or will never take them; it stops the queue only while there is hope.
 * One that gets no answer stops only its own path, because an ad blocker may stop only one of the two.
 */
export function openDelivery(
  queue: Queue,
  stopped: () => boolean,
  flushInterval: number,
  lockName: string,
  sendOne: (messages: Message[], leaving: boolean) => ReturnType<typeof send>,
): Delivery {
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** When the timer is due. */
  let due = Infinity;
  let sending = false;
  const failures = { events: 0, profile: 0 };
  /** Until when a path that has failed is left alone. */
  const resting = { events: 0, profile: 0 };
  /** Until when the server asked not to be called. */
  let closedUntil = 0;

  let away = false;
  /** The last message handed to the browser while the page goes: `pagehide` and `visibilitychange` both come, and one hand-over is enough. */
  let handedOver = '';
  let bytesOnTheWay = 0;
  /** Says once what would be said at every request. */
  let shout = warn;
  /** Events in the next request. */
  let most = MOST_EVENTS;

  const openAt = (route: Route): number => Math.max(resting[route], closedUntil);

  function wakeIn(milliseconds: number, route: Route): void {
    const now = Date.now();
    const at = Math.max(now + milliseconds, openAt(route));
    if (sending || at >= due) return; // It looks into the queue again before it ends.
    clearTimeout(timer);
    due = at;
    timer = setTimeout(() => attempt(start), at - now);
  }

  function start(): void {
    due = Infinity;
    if (stopped()) return;
    sending = true;
    let begun = false;
    const drain = (): Promise<void> | undefined => (begun ? undefined : ((begun = true), sendAll().catch(note)));
    // One tab sends for all. One that cannot get its turn (the holder may be frozen) sends all the same: repeats are harmless.
    if (attempt(() => (navigator as { locks?: LockManager }).locks?.request(lockName, drain).catch(drain))) setTimeout(drain, PATIENCE_WITH_OTHER_TABS);
    else void drain();
  }

  async function sendAll(): Promise<void> {
    try {
      for (;;) {
        const messages = queue.readAll();
        const open = messages.filter(({ route }) => openAt(route) <= Date.now());
        if (!open.length || stopped()) {
          sending = false; // In the same breath as the last look into the queue: what is added after it starts anew.
          for (const { route } of messages) wakeIn(0, route);
          return;
        }
        await deliver(groupOf(open, MOST_BYTES, most)[0], false);
      }
    } finally {
      sending = false;
    }
  }

  async function deliver(messages: Message[], leaving: boolean): Promise<void> {
    const { route } = messages[0]!;
    const [status, retryAfter, body] = await sendOne(messages, leaving);
    const now = Date.now();
    if (retryAfter) closedUntil = now + waitOf(retryAfter);
    if (/^(0|408|425|429|5..)$/.test(`${status}`)) {
      if (leaving) return;
      // Full jitter between a second and a ceiling that doubles: browsers that failed together do not come back together.
      const ceiling = Math.min(LONGEST_WAIT, SHORTEST_WAIT * 2 ** ++failures[route]);
      resting[route] = now + SHORTEST_WAIT + Math.round(Math.random() * (ceiling - SHORTEST_WAIT));
      if (status) resting.events = resting.profile = resting[route];
      return;
    }
    failures[route] = 0;

    // One event spoils the whole body of a batch: the others arrive without it, in ever smaller batches.
    most = messages.length > 1 && /^4(00|13|22)$/.test(`${status}`) ? messages.length >> 1 : Math.min(MOST_EVENTS, most * 2);
    if (most < messages.length) return;

    const answer = `server answered ${status}: ${body}`;
    if (/^40[13]/.test(`${status}`)) {
      // Company or origin unknown, or a token that does not count: what somebody must see, since it will be so again.
      shout(answer);
      shout = note;
    } else {
      note(answer);
    }
    for (const { id } of messages) queue.settle(id, profileIdIn(body));
  }

  function handOver(): void {
    if (!away || stopped() || Date.now() < closedUntil) return;
    let messages = queue.readAll().filter(({ id }) => id > handedOver);
    while (messages.length) {
      const [group, bytes] = groupOf(messages, MOST_BYTES_LEAVING - bytesOnTheWay, most);
      if (bytesOnTheWay + bytes > MOST_BYTES_LEAVING) return;
      bytesOnTheWay += bytes;
      handedOver = group[group.length - 1]!.id;
      messages = messages.slice(group.length);
      deliver(group, true).catch(note).then(() => {
        bytesOnTheWay -= bytes;
        handOver();
      });
    }
  }

  return {
    added(route) {
      wakeIn(route === 'profile' ? 0 : flushInterval, route);
      // The page's own listeners of `pagehide` may come after ours.
      handOver();
    },
    online() {
      resting.events = resting.profile = 0;
      wakeIn(0, 'events');
    },
    leave() {
      away = true;
      handOver();
    },
    comeBack() {
      away = false;
      handedOver = '';
      wakeIn(flushInterval, 'events');
    },
  };
}

/** The longest beginning of `messages` that can travel as one request, at least one message; and its bytes. */
function groupOf(messages: Message[], mostBytes: number, most: number): [Message[], number] {
  const { route, envelope } = messages[0]!;
  let count = 0;
  let bytes = 0;
  for (const message of messages) {
    const more = bytes + message.byteCount;
    const full = more > mostBytes || count === most || route === 'profile';
    if (count && (full || message.route !== route || message.envelope !== envelope)) break;
    bytes = more;
    count++;
  }
  return [messages.slice(0, count), bytes];
}
