import { randomHex } from './ids.js';
import type { KeptValues } from './storage.js';

const SESSION = 'session';
const DAY = 86_400_000;

/**
 * What is stored. `email` is the address that this session was last identified with, trimmed and lower-cased: enough to
 * see that another person identifies (B8). It is kept in clear, for a hash of an address can be guessed and would only
 * look private, and it goes with the session: at `reset()`, `optOut()` or the session's age.
 */
interface Session {
  id: string;
  since: number;
  email?: string;
}

/** Who this browser is until it is told otherwise. */
export interface Sessions {
  /** The id of the present session, a new one if there is none. */
  id(): string;
  /** The id of the session to identify with `email`: a new one if the present session is another person's. */
  idFor(email: unknown): string;
  end(): void;
}

/** The session is read from the storage at each question, so that all tabs are in the same one. */
export function openSessions(storage: KeptValues, maxAgeDays: number): Sessions {
  const keep = (session: Session): Session => {
    storage.set(SESSION, JSON.stringify(session));
    return session;
  };
  const begin = (): Session => {
    const now = Date.now();
    return keep({ id: `session_${Math.floor(now / 1000)}_${randomHex(16)}`, since: now });
  };
  const present = (): Session => {
    const session = parse(storage.get(SESSION));
    return session && Date.now() - session.since < maxAgeDays * DAY ? session : begin();
  };

  return {
    id: () => present().id,
    idFor(email) {
      // A placeholder such as "guest" is nobody, so it is not another person either.
      const person = typeof email === 'string' && email.includes('@') ? email.trim().toLowerCase() : undefined;
      let session = present();
      if (person && session.email !== person) {
        if (session.email) session = begin();
        keep({ ...session, email: person });
      }
      return session.id;
    },
    end: () => storage.remove(SESSION),
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
