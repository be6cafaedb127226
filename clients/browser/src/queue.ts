import type { Identified } from './api.js';
import { bytesOf, quote } from './json.js';
import { emptyRecord, note } from './safely.js';
import type { KeptValues } from './storage.js';

const MESSAGE = 'message:';

/** The most bytes that an offline browser stores; then the oldest messages are dropped. The page needs storage space too. */
export const MOST_MESSAGES = 1_000;
export const MOST_CHARACTERS = 500_000;

/**
 * The stored form of a message, which also identifies it as ours. It is parsed as text, since a page may have replaced
 * `JSON.parse`, and so that exactly the stored text is sent.
 */
const STORED = /^\{"(event|identity)":(\{.+\}),("sessionId":"[^"]*"(?:,"context":.*)?)\}$/s;

/** The public call for a message. */
export type Route = 'events' | 'profile';

/** An undelivered message, as parts of JSON. `id` is its eventId. */
export interface Message {
  id: string;
  byteCount: number;
  route: Route;
  /** The event or the identify. */
  contentJson: string;
  /** The members `sessionId` and `context`, which the events of one request share. */
  envelope: string;
}

/** The undelivered messages of all tabs, in the order of their eventIds. */
export interface Queue {
  /** @param resolve - Called with the answer to the message. */
  enqueue(id: string, text: string, resolve?: (answer: Identified) => void): void;
  readAll(): Message[];
  /** Removes a message that was delivered or given up, and notifies its caller. */
  settle(id: string, profileId?: string): void;
  discardAll(): void;
  /** Moves the messages of one session to another. */
  moveAll(from: string, to: string): void;
  /**
   * Handles a change of a message by another tab (its `storage` event). Without a key, the page may have missed events
   * for a while: callers that wait for a message that no longer exists get their answer now.
   */
  changedElsewhere(key?: string | null, value?: string | null): void;
}

/**
 * Each message has a key of its own. So tabs never overwrite each other's messages, a new tab finds those of a closed
 * tab, and the cost of adding one does not depend on the length of the queue.
 */
export function openQueue(storage: KeptValues): Queue {
  const waiting = emptyRecord<(answer: Identified) => void>();
  // If a browser fails to delete a message, it must still not be sent in an endless loop.
  const settled = emptyRecord<boolean>();

  const textOf = (id: string): string | null | undefined => (settled[id] ? undefined : storage.lookUp(MESSAGE + id));
  const ids = (): string[] => storage.namesOf(MESSAGE).filter((id) => !settled[id]).sort();
  const tell = (id: string, profileId: string | null = null): void => {
    waiting[id]?.({ profileId });
    delete waiting[id];
  };
  const remove = (id: string): void => {
    storage.dropValue(MESSAGE + id);
    if (textOf(id)) settled[id] = true;
    tell(id);
  };

  const readAll = (): Message[] => {
    const messages: Message[] = [];
    for (const id of ids()) {
      const text = textOf(id)!;
      const [, kind, content, envelope] = STORED.exec(text) ?? [];
      if (kind) {
        messages.push({ id, byteCount: bytesOf(text), route: kind === 'event' ? 'events' : 'profile', contentJson: content!, envelope: envelope! });
      } else {
        note('dropped', id);
        remove(id);
      }
    }
    return messages;
  };

  return {
    enqueue(id, text, resolve) {
      storage.keepValue(MESSAGE + id, text);
      if (resolve) waiting[id] = resolve;

      // From the newest to the oldest: those beyond the limit are dropped. Messages that the page waits for have twice the limit.
      let count = 0;
      let characters = 0;
      for (const each of ids().reverse()) {
        characters += textOf(each)!.length;
        if (Math.max(++count / MOST_MESSAGES, characters / MOST_CHARACTERS) > (waiting[each] ? 2 : 1)) {
          note('dropped', each);
          remove(each);
        }
      }
    },
    readAll,
    settle(id, profileId) {
      // The identify may be another tab's: that tab reads the answer from its storage events.
      if (profileId && !waiting[id]) storage.keepValue(MESSAGE + id, `{"profileId":${quote(profileId)}}`);
      tell(id, profileId);
      remove(id);
    },
    discardAll() {
      for (const id of ids()) remove(id);
    },
    moveAll(from, to) {
      for (const { id, envelope } of readAll()) {
        if (envelope.indexOf(from) > 0) storage.keepValue(MESSAGE + id, textOf(id)!.slice(0, -envelope.length - 1) + envelope.replace(from, to) + '}');
      }
    },
    changedElsewhere(key, value) {
      const profileId = profileIdIn(value!);
      for (const id in waiting) {
        if (key ? key.endsWith(id) && (profileId || value === null) : !textOf(id)) tell(id, profileId);
      }
    },
  };
}

/** The answer to an identify, from the server's body or from the text that another tab stored. */
export function profileIdIn(text: string): string | undefined {
  return /^\{"profileId":"([^"]+)"/.exec(text)?.[1];
}
