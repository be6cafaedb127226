import { randomHex } from './ids.js';
import type { KeptValues } from './storage.js';

export const SESSION = 'session';
const DAY = 86_400_000;

/**
 * What is stored. `email` is the address that this session was last identified with, trimmed and lower-cased: enough to
 * see that another person identifies (B8). It is kept in clear, for a hash of an address can be guessed and would only
 * look private, and it goes with the session: at `reset()`, `optOut()` or the session's age.
 * `after` is the session that this one was to follow, told apart from one that knew of no other.
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
  /**
   * Another tab has changed the session. Tabs that open together on a first visit each begin one, for a browser shows
   * them one another's storage with a delay; the last one stored is everybody's, and `move` is told of the one it replaces.
   */
  changedElsewhere(move: (from: string, to: string) => void): void;
}

/** The session is read from the storage at each question, so that all tabs are in the same one. */
export function openSessions(storage: KeptValues, maxAgeDays: number): Sessions {
  const keep = (session: Session): Session => {
    storage.set(SESSION, JSON.stringify(session));
    return session;
  };
  /** The session that this tab knows as the browser's first, or the first after a reset. */
  let first: string | undefined;
  const begin = (previous?: Session): Session => {
    const now = Date.now();
    const id = `session_${Math.floor(now / 1000)}_${randomHex(16)}`;
    first = previous ? undefined : id;
    return keep({ id, since: now, after: previous?.id });
  };
  const present = (): Session => {
    const session = parse(storage.get(SESSION));
    return session && Date.now() - session.since < maxAgeDays * DAY ? session : begin(session);
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
    end() {
      first = undefined;
      storage.remove(SESSION);
    },
    changedElsewhere(move) {
      const session = parse(storage.get(SESSION));
      if (session && first && session.id !== first && session.after !== first) move(first, session.id);
      first = session?.id;
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
