import { profileIdIn, type Message, type Route, type Queue } from './queue.js';
import { attempt, note, warn } from './safely.js';
import { waitOf, type send } from './send.js';

/** The limits of a batch in the contract. The number of bytes leaves room for the envelope. */
const MOST_EVENTS = 500;
const MOST_BYTES = 1_000_000;
/** A browser allows 64 KiB in flight for a page that is being closed, over all its requests. */
const MOST_BYTES_LEAVING = 60_000;

const SHORTEST_WAIT = 1_000;
const LONGEST_WAIT = 300_000;
const PATIENCE_WITH_OTHER_TABS = 10_000;

/** Decides when and in which order the queue is sent. */
export interface Delivery {
  /** The queue contains, or may contain, messages for this path. An identify is sent at once, since the page waits for it. */
  added(route: Route): void;
  /** The network is back. */
  online(): void;
  /** The page may be closed next: hands everything possible to the browser, and from now on new messages at once. */
  leave(): void;
  /** The page is visible again. */
  comeBack(): void;
}

/**
 * Sends the queue from its oldest message on, one request after the other, so that messages stay in order. A request is
 * finished when the server has accepted its messages or will never accept them. A failed request blocks the queue only
 * while a retry may succeed. A request without an answer blocks only its own path, since an ad blocker may block only one
 * of the two.
 */
export function openDelivery(
  queue: Queue,
  stopped: () => boolean,
  flushInterval: number,
  lockName: string,
  sendOne: (messages: Message[], leaving: boolean) => ReturnType<typeof send>,
): Delivery {
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** The time at which the timer fires. */
  let due = Infinity;
  let sending = false;
  const failures = { events: 0, profile: 0 };
  /** The time until which a failed path is not tried again. */
  const resting = { events: 0, profile: 0 };
  /** The time until which the server asked for no requests. */
  let closedUntil = 0;

  let away = false;
  /** The last message handed to the browser while the page is closing. Both `pagehide` and `visibilitychange` fire, and one hand-over is enough. */
  let handedOver = '';
  let bytesOnTheWay = 0;
  /** Reports a problem once that every request would report again. */
  let shout = warn;
  /** The number of events in the next request. */
  let most = MOST_EVENTS;

  const openAt = (route: Route): number => Math.max(resting[route], closedUntil);

  function wakeIn(milliseconds: number, route: Route): void {
    const now = Date.now();
    const at = Math.max(now + milliseconds, openAt(route));
    if (sending || at >= due) return; // The running loop checks the queue again before it ends.
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
    // One tab sends for all. If this tab cannot get the lock (its holder may be frozen), it sends anyway: repeats are harmless.
    if (attempt(() => (navigator as { locks?: LockManager }).locks?.request(lockName, drain).catch(drain))) setTimeout(drain, PATIENCE_WITH_OTHER_TABS);
    else void drain();
  }

  async function sendAll(): Promise<void> {
    try {
      for (;;) {
        const messages = queue.readAll();
        const open = messages.filter(({ route }) => openAt(route) <= Date.now());
        if (!open.length || stopped()) {
          sending = false; // In the same task as the last check of the queue, so that a message added later starts a new loop.
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
      // Full jitter between a second and a limit that doubles, so that browsers that failed together do not retry together.
      const ceiling = Math.min(LONGEST_WAIT, SHORTEST_WAIT * 2 ** ++failures[route]);
      resting[route] = now + SHORTEST_WAIT + Math.round(Math.random() * (ceiling - SHORTEST_WAIT));
      if (status) resting.events = resting.profile = resting[route];
      return;
    }
    failures[route] = 0;

    // One invalid event makes the whole body of a batch fail. Smaller and smaller batches deliver the others without it.
    most = messages.length > 1 && /^4(00|13|22)$/.test(`${status}`) ? messages.length >> 1 : Math.min(MOST_EVENTS, most * 2);
    if (most < messages.length) return;

    const answer = `server answered ${status}: ${body}`;
    if (/^40[13]/.test(`${status}`)) {
      // Unknown company or origin, or an invalid token: a developer must see this, since it will happen again.
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
      // The page's own listeners of `pagehide` may run after ours.
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

/** The longest prefix of `messages` that fits into one request, at least one message; and its bytes. */
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
