import type { Identified } from './api.js';
import { bytesOf } from './json.js';
import { note } from './safely.js';
import type { KeptValues } from './storage.js';

const MESSAGE = 'message:';

/** What a browser that stays offline may pile up; then the oldest goes. The page needs room in the storage too. */
export const MOST_MESSAGES = 1_000;
export const MOST_CHARACTERS = 500_000;

/** One message on its way: an event with its context, or an identify. `id` is its eventId. */
export interface Message {
  id: string;
  bytes: number;
  sessionId: string;
  event?: object;
  context?: object;
  identity?: object;
}

/** The messages that are not delivered yet, of all tabs, in the order of their eventIds. */
export interface Queue {
  /** @param told - Who waits for the answer to it. */
  add(id: string, text: string, told?: (answer: Identified) => void): void;
  read(): Message[];
  has(id: string): boolean;
  /** Takes a message out, delivered or given up, and tells who waits for it. */
  settle(id: string, profileId?: string | null): void;
  clear(): void;
  /** Puts the messages of one session into another. */
  move(from: string, to: string): void;
  /** What another tab has done to a message (its `storage` event), or all of them when `name` is undefined. */
  changedElsewhere(name: string | undefined, value: string | null): void;
  /** The page was frozen and has heard nothing meanwhile: who waits for a message that is gone waits in vain. */
  thawed(): void;
}

/**
 * Each message has a key of its own. So tabs never overwrite each other's, what a closed tab left is simply there for
 * the next one, and adding costs the same however long the queue is.
 */
export function openQueue(storage: KeptValues): Queue {
  const waiting = new Map<string, (answer: Identified) => void>();
  // Where a browser would not let go of a message, it must still not be sent in an endless loop.
  const settled = new Set<string>();

  const ids = (): string[] => storage.names(MESSAGE).filter((id) => !settled.has(id)).sort();
  const tell = (id: string, profileId: string | null = null): void => {
    waiting.get(id)?.({ profileId });
    waiting.delete(id);
  };
  const remove = (id: string): void => {
    storage.remove(MESSAGE + id);
    if (storage.get(MESSAGE + id) !== undefined) settled.add(id);
    tell(id);
  };

  return {
    add(id, text, told) {
      storage.set(MESSAGE + id, text);
      if (told) waiting.set(id, told);

      const kept = ids();
      let characters = kept.reduce((sum, each) => sum + (storage.get(MESSAGE + each)?.length ?? 0), 0);
      while (kept.length > MOST_MESSAGES || characters > MOST_CHARACTERS) {
        // An identify that the page waits for binds all the others: it goes last.
        const at = Math.max(0, kept.findIndex((each) => !waiting.has(each)));
        const oldest = kept.splice(at, 1)[0]!;
        characters -= storage.get(MESSAGE + oldest)?.length ?? 0;
        note('the queue is full, dropped', oldest);
        remove(oldest);
      }
    },
    read() {
      const messages: Message[] = [];
      for (const id of ids()) {
        try {
          const text = storage.get(MESSAGE + id)!;
          const message = JSON.parse(text) as Message;
          if (!message.event && !message.identity) throw new SyntaxError('no message of ours');
          messages.push({ ...message, id, bytes: bytesOf(text) });
        } catch (error) {
          note('a stored message cannot be read', id, error);
          remove(id);
        }
      }
      return messages;
    },
    has: (id) => !settled.has(id) && storage.get(MESSAGE + id) !== undefined,
    settle(id, profileId) {
      // The tab whose identify this was may be another one: it sees the answer pass by in its storage events.
      if (profileId && !waiting.has(id)) storage.set(MESSAGE + id, JSON.stringify({ profileId }));
      tell(id, profileId);
      remove(id);
    },
    clear: () => ids().forEach(remove),
    move(from, to) {
      const member = (sessionId: string): string => `"sessionId":"${sessionId}"`;
      for (const id of ids()) {
        const text = storage.get(MESSAGE + id);
        // The envelope's is the last: an event's own data stands before it.
        const at = text?.lastIndexOf(member(from)) ?? -1;
        if (text && at >= 0) storage.set(MESSAGE + id, text.slice(0, at) + member(to) + text.slice(at + member(from).length));
      }
    },
    changedElsewhere(name, value) {
      const answer = value?.startsWith('{"profileId"') ? (JSON.parse(value) as Identified) : undefined;
      for (const id of [...waiting.keys()]) {
        if (name === undefined || (name === MESSAGE + id && (answer || value === null))) tell(id, answer?.profileId);
      }
    },
    thawed() {
      for (const id of [...waiting.keys()]) {
        if (storage.get(MESSAGE + id) === undefined) tell(id);
      }
    },
  };
}
