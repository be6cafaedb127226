import type { Consent } from './consent.js';
import type { Message, Queue } from './queue.js';
import { note, safely } from './safely.js';
import { abortAfter, type Answer } from './send.js';

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
  /** There may be something in the queue that another page has left. */
  look(): void;
  /** There is something in the queue; `soon` if somebody waits for it. */
  added(soon: boolean): void;
  /** The network is back. */
  online(): void;
  /** The page may be gone after this: hands all that it can to the browser. */
  leave(): void;
  /** The page is seen again. */
  comeBack(): void;
}

/**
 * Sends the queue from its oldest message on, one request after the other, so nothing overtakes anything. A request is
 * over when the server has taken its messages or will never take them; it stops the queue only while there is hope.
 */
export function openDelivery(
  queue: Queue,
  consent: Consent,
  flushInterval: number,
  lockName: string,
  send: (messages: Message[], leaving: boolean) => Promise<Answer>,
): Delivery {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let sending = false;
  let failures = 0;
  /** Until when the server asked not to be called. */
  let closedUntil = 0;
  /** Handed to the browser while the page goes: `pagehide` and `visibilitychange` both come, and one hand-over is enough. */
  const handedOver = new Set<string>();
  let warned = false;

  const wakeIn = (milliseconds: number): void => {
    clearTimeout(timer);
    timer = setTimeout(safely(start), Math.max(milliseconds, closedUntil - Date.now()));
  };

  function start(): void {
    timer = undefined;
    if (consent.stopped()) return;
    if (Date.now() < closedUntil) return wakeIn(0);
    sending = true;
    const drain = (): Promise<void> => sendAll().catch(note);
    // One tab sends for all. One that cannot get its turn (the holder may be frozen) sends all the same: repeats are harmless.
    const locks = (navigator as { locks?: LockManager }).locks;
    if (locks) locks.request(lockName, { signal: abortAfter(PATIENCE_WITH_OTHER_TABS) }, drain).catch(drain);
    else void drain();
  }

  async function sendAll(): Promise<void> {
    try {
      for (let messages = queue.read(); messages.length; messages = queue.read()) {
        while (messages.length) {
          const group = groupOf(messages, MOST_BYTES);
          messages = messages.slice(group.length);
          if (!(await deliver(group, false))) {
            wakeIn(waitAfterFailure());
            return;
          }
          failures = 0;
        }
      }
    } finally {
      sending = false; // In the same breath as the last look into the queue: what is added after it starts anew.
    }
  }

  /** Full jitter between a second and a ceiling that doubles: browsers that failed together do not come back together. */
  function waitAfterFailure(): number {
    const ceiling = Math.min(LONGEST_WAIT, SHORTEST_WAIT * 2 ** ++failures);
    return SHORTEST_WAIT + Math.random() * (ceiling - SHORTEST_WAIT);
  }

  /** Whether it is over with these messages: taken, or refused for good. `false` asks to try again later. */
  async function deliver(group: Message[], leaving: boolean): Promise<boolean> {
    // Meanwhile delivered at the page's going, or forgotten at an opt-out.
    const messages = group.filter(({ id }) => queue.has(id));
    if (!messages.length) return true;
    if (consent.stopped()) return false;

    const { status, wait, body } = await send(messages, leaving);
    if (wait && status >= 400) closedUntil = Date.now() + wait;
    if (status < 200 || status === 408 || status === 425 || status === 429 || status >= 500) return false;

    // One event spoils the whole body of a batch: the others arrive without it.
    if (messages.length > 1 && (status === 400 || status === 413 || status === 422)) {
      const middle = messages.length >> 1;
      return (await deliver(messages.slice(0, middle), leaving)) && deliver(messages.slice(middle), leaving);
    }

    if (status >= 300) explain(status, body.detail);
    if (body.rejected?.length) note('refused', body.rejected);
    for (const { id } of messages) queue.settle(id, body.profileId);
    return true;
  }

  function explain(status: number, detail: string | undefined): void {
    const refused = `the server refused with ${status}: ${detail ?? 'no detail'}`;
    // Company or origin unknown, or a token that does not count: what somebody must see, since it will be so again.
    if ((status === 401 || status === 403) && !warned) {
      warned = true;
      console.warn('TrackMate:', refused);
    } else {
      note(refused);
    }
  }

  function added(soon: boolean): void {
    if (sending) return; // It looks into the queue again before it ends.
    if (timer === undefined) wakeIn(soon ? 0 : flushInterval);
    else if (soon && !failures) wakeIn(0);
  }

  return {
    look: () => added(false),
    added,
    online() {
      if (!sending) wakeIn(0);
    },
    leave() {
      if (consent.stopped() || Date.now() < closedUntil) return;
      let bytes = 0;
      let messages = queue.read().filter(({ id }) => !handedOver.has(id));
      while (messages.length) {
        const group = groupOf(messages, MOST_BYTES_LEAVING - bytes);
        for (const message of group) bytes += message.bytes;
        if (bytes > MOST_BYTES_LEAVING) return;
        for (const { id } of group) handedOver.add(id);
        messages = messages.slice(group.length);
        deliver(group, true).catch(note);
      }
    },
    comeBack() {
      handedOver.clear();
      added(false);
    },
  };
}

/** The longest beginning of `messages` that can travel as one request, at least one message. */
function groupOf(messages: Message[], mostBytes: number): Message[] {
  const envelope = envelopeOf(messages[0]!);
  let bytes = 0;
  const end = messages.findIndex((message, index) => {
    bytes += message.bytes;
    return index > 0 && (index === MOST_EVENTS || bytes > mostBytes || !!messages[0]!.identity || envelopeOf(message) !== envelope);
  });
  return end < 0 ? messages : messages.slice(0, end);
}

function envelopeOf({ identity, sessionId, context }: Message): string {
  return JSON.stringify([!!identity, sessionId, context]);
}
