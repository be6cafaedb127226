import { randomHex } from './ids.js';
import { toJson } from './json.js';
import type { KeptValues } from './storage.js';

export const SESSION = 'session';
const DAY = 86_400_000;

/**
 * What is stored. `email` is the address that this session was last identified with, trimmed and lower-cased: enough to
 * see that another person identifies (B8). It is kept in clear, for a hash of an address can be guessed and would only
 * look private, and it goes with the session: at `reset()`, `optOut()` or the session's age.
 * `after` is the session that this one follows, as far as its tab knew.
 */
interface Session {
  id: string;
  since: number;
  email?: string | undefined;
  after?: string | undefined;
}

/** Who this browser is until it is told otherwise. */
export interface Sessions {
  /**
   * The id of the present session; of a new one if there is none, or if it is another person's than `email` says, which
   * is identified.
   */
  idFor(email?: unknown): string;
  finish(): void;
  /** Another tab has changed the session. */
  changedElsewhere(): void;
}

/**
 * The session is read from the storage at each question, so that all tabs are in the same one. Tabs that open together
 * each begin one, for a browser shows them one another's storage with a delay: the last one stored is everybody's, and
 * `move` is told of a session that it replaces.
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
    // Two sessions that follow the same one, or none, began beside each other; what a person was identified in stays.
    if (known && known.id !== session.id && known.after === session.after && !known.email) move(known.id, session.id);
    return (known = session);
  };

  return {
    idFor(email) {
      // A placeholder such as "guest" is nobody, so it is not another person either.
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

/** What `toJson` wrote; anything else, damaged by another script of the page, is no session: a new one takes its place. */
function parse(text: string | null | undefined): Session | undefined {
  const member = (name: string): string | undefined => new RegExp(`"${name}":"?([^",}]+)`).exec(text!)?.[1];
  const id = member('id');
  const since = +member('since')!;
  return id && since ? { id, since, email: member('email'), after: member('after') } : undefined;
}

export function isAddress(text: unknown): text is string {
  return typeof text === 'string' && text.indexOf('@') > 0;
}
