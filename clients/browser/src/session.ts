import { randomHex } from './ids.js';
import { toJson } from './json.js';
import type { KeptValues } from './storage.js';

export const SESSION = 'session';
const DAY = 86_400_000;

/**
 * The stored session. `email` is the address with which this session was last identified, trimmed and lower-cased: that is
 * enough to notice that another person identifies (B8). It is stored in clear text, since the hash of an address can be
 * guessed and would only look private. It is deleted with the session: at `reset()`, `optOut()` or the session's maximum
 * age. `after` is the previous session, as far as the tab knew it.
 */
interface Session {
  id: string;
  since: number;
  email?: string | undefined;
  after?: string | undefined;
}

/** The session of this browser. */
export interface Sessions {
  /**
   * The id of the current session. A new session is created if there is none, or if the current one belongs to another
   * person than `email`, who is being identified.
   */
  idFor(email?: unknown): string;
  finish(): void;
  /** Another tab has changed the session. */
  changedElsewhere(): void;
}

/**
 * The session is read from the storage each time, so that all tabs use the same one. Tabs that open at the same time each
 * create one, since a browser shares the storage between tabs with a delay. The last stored session is valid for all tabs,
 * and `move` receives each session that it replaces.
 */
export function openSessions(storage: KeptValues, maxAgeDays: number, move: (from: string, to: string) => void): Sessions {
  /** The session as this tab last used or saw it. */
  let known: Session | undefined;

  const keep = (session: Session): Session => {
    storage.keepValue(SESSION, toJson(session));
    return (known = session);
  };
  const begin = (previous = known): Session => {
    const now = Date.now();
    return keep({ id: `session_${Math.floor(now / 1000)}_${randomHex(16)}`, since: now, after: previous?.id });
  };
  const present = (): Session => {
    const session = parse(storage.lookUp(SESSION));
    if (!session || Date.now() - session.since >= maxAgeDays * DAY) return begin(session);
    // Two sessions with the same previous one, or none, were created at the same time; the identified one is kept.
    if (known && known.id !== session.id && known.after === session.after && !known.email) move(known.id, session.id);
    return (known = session);
  };

  return {
    idFor(email) {
      // A placeholder such as "guest" identifies nobody, so it does not count as another person.
      const person = isAddress(email) ? email.replace(/[\0- "\\,}\p{Cs}]/gu, '').toLowerCase() : undefined;
      let session = present();
      if (person && session.email !== person) {
        if (session.email) session = begin(session);
        keep({ ...session, email: person });
      }
      return session.id;
    },
    finish: () => storage.dropValue(SESSION),
    changedElsewhere() {
      if (storage.lookUp(SESSION)) present();
      else known = undefined;
    },
  };
}

/** Parses what `toJson` wrote. Anything else, such as a value damaged by another script, is no session: a new one replaces it. */
function parse(text: string | null | undefined): Session | undefined {
  const member = (name: string): string | undefined => new RegExp(`"${name}":"?([^",}]+)`).exec(text!)?.[1];
  const id = member('id');
  const since = +member('since')!;
  return id && since ? { id, since, email: member('email'), after: member('after') } : undefined;
}

export function isAddress(text: unknown): text is string {
  return typeof text === 'string' && text.indexOf('@') > 0;
}
