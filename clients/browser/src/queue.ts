import type { Identified } from './api.js';
import { bytesOf, quote } from './json.js';
import { emptyRecord, note } from './safely.js';
import type { KeptValues } from './storage.js';

const MESSAGE = 'message:';

/** What a browser that stays offline may pile up; then the oldest goes. The page needs room in the storage too. */
export const MOST_MESSAGES = 1_000;
export const MOST_CHARACTERS = 500_000;

/**
 * How a message is stored, and that it is one of ours. It is taken apart as text, for a page may have replaced
 * `JSON.parse` too, and what was written is what is sent.
 */
const STORED = /^\{"(event|identity)":(\{.+\}),("sessionId":"[^"]*"(?:,"context":.*)?)\}$/s;

/** The public call that a message travels by. */
export type Route = 'events' | 'profile';

/** One message on its way, as parts of JSON. `id` is its eventId. */
export interface Message {
  id: string;
  byteCount: number;
  route: Route;
  /** The event or the identify. */
  contentJson: string;
  /** The members `sessionId` and `context`, which the events of one request share. */
  envelope: string;
}

/** The messages that are not delivered yet, of all tabs, in the order of their eventIds. */
export interface Queue {
  /** @param told - Who waits for the answer to it. */
  enqueue(id: string, text: string, told?: (answer: Identified) => void): void;
  readAll(): Message[];
  /** Takes a message out, delivered or given up, and tells who waits for it. */
  settle(id: string, profileId?: string): void;
  discardAll(): void;
  /** Puts the messages of one session into another. */
  moveAll(from: string, to: string): void;
  /**
   * Another tab has done something to a message (its `storage` event), or, without a key, the page has heard nothing
   * for a while: who waits for a message that is gone waits in vain.
   */
  changedElsewhere(key?: string | null, value?: string | null): void;
}

/**
 * Each message has a key of its own. So tabs never overwrite each other's, what a closed tab left is simply there for
 * the next one, and adding costs the same however long the queue is.
 */
export function openQueue(storage: KeptValues): Queue {
  const waiting = emptyRecord<(answer: Identified) => void>();
  // Where a browser would not let go of a message, it must still not be sent in an endless loop.
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
    enqueue(id, text, told) {
      storage.keepValue(MESSAGE + id, text);
      if (told) waiting[id] = told;

      // From the newest on: what there is no room for goes, and what the page waits for later than the rest.
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
      // The tab whose identify this was may be another one: it sees the answer pass by in its storage events.
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

/** The answer to an identify, out of the server's body or of what another tab left in the storage. */
export function profileIdIn(text: string): string | undefined {
  return /^\{"profileId":"([^"]+)"/.exec(text)?.[1];
}
