import { randomHex } from './ids.js';
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
  email?: string;
  after?: string | undefined;
}

/** Who this browser is until it is told otherwise. */
export interface Sessions {
  /** The id of the present session, a new one if there is none. */
  id(): string;
  /** The id of the session to identify with `email`: a new one if the present session is another person's. */
  idFor(email: unknown): string;
  end(): void;
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
    storage.set(SESSION, JSON.stringify(session));
    return (known = session);
  };
  const begin = (previous = known): Session => {
    const now = Date.now();
    return keep({ id: `session_${Math.floor(now / 1000)}_${randomHex(16)}`, since: now, after: previous?.id });
  };
  /** Two sessions that follow the same one, or none, began beside each other; what a person was identified in stays. */
  const see = (session: Session): Session => {
    if (known && known.id !== session.id && known.after === session.after && !known.email) move(known.id, session.id);
    return (known = session);
  };
  const present = (): Session => {
    const session = parse(storage.get(SESSION));
    return session && Date.now() - session.since < maxAgeDays * DAY ? see(session) : begin(session);
  };

  return {
    id: () => present().id,
    idFor(email) {
      // A placeholder such as "guest" is nobody, so it is not another person either.
      const person = typeof email === 'string' && email.includes('@') ? email.trim().toLowerCase() : undefined;
      let session = present();
      if (person && session.email !== person) {
        if (session.email) session = begin(session);
        keep({ ...session, email: person });
      }
      return session.id;
    },
    end: () => storage.remove(SESSION),
    changedElsewhere() {
      const session = parse(storage.get(SESSION));
      known = session && see(session);
    },
  };
}

function parse(text: string | undefined): Session | undefined {
  try {
    const session = JSON.parse(text ?? 'null') as Session | null;
    return session && typeof session.id === 'string' && session.since > 0 ? session : undefined;
  } catch {
    return undefined; // Damaged by another script of the page: a new session takes its place.
  }
}
