/**
 * The public API: what a page can call, and nothing of how it is done.
 *
 * @packageDocumentation
 */

/** Settings of {@link TrackMateApi.init}. All are optional. */
export interface TrackMateOptions {
  /** After the first `trackPageView()`, follow navigation inside a single-page application. Default `true`. */
  spa?: boolean;
  /** A change of only the part after `#` is another page too. Default `false`. */
  hash?: boolean;
  /** The age in days at which a session is replaced by a new one. Default 395 (13 months). */
  sessionMaxAgeDays?: number;
  /** Treat a visitor whose browser sends Do Not Track or Global Privacy Control as opted out. Default `false`. */
  respectDoNotTrack?: boolean;
  /** How long an event may wait for others to travel with, in milliseconds. Default 1000. */
  flushInterval?: number;
  /** Say in the console what was dropped or refused, and why. Default `false`. */
  debug?: boolean;
  /**
   * Where the session and the undelivered messages are kept. `'memory'` leaves nothing in the browser
   * (except a choice to opt out): every page load is then a new session. Default `'localStorage'`.
   */
  storage?: 'localStorage' | 'memory';
}

/** Who a person is. Everything besides the three named fields becomes a trait of the profile. */
export interface Identity {
  /** The person's e-mail address. An address other than the session's last one begins a new session. */
  email?: string | null | undefined;
  /** The company's own id of the person. */
  externalId?: string | number | null | undefined;
  /** The name to show. */
  name?: string | null | undefined;
  [trait: string]: unknown;
}

/** Settings of one {@link TrackMateApi.identify}. */
export interface IdentifyOptions {
  /** A JWT signed by the company's back end for this person, which makes the claim a verified one. */
  token?: string;
}

/** The answer to {@link TrackMateApi.identify}. */
export interface Identified {
  /** The profile's id, or `null` when the message was refused or dropped, or the visitor has opted out. */
  profileId: string | null;
}

/**
 * TrackMate in a browser. No method ever throws into the page. What is called before {@link TrackMateApi.init}
 * is kept and replayed, in order, after it.
 */
export interface TrackMateApi {
  /** The version of this SDK. */
  readonly version: string;

  /**
   * Says whose events these are and where they go. Stores and sends nothing new by itself; what an earlier page
   * left undelivered is delivered. Only the first call counts.
   *
   * @param companyId - The public id of the company, such as `TM-SHOP99`.
   * @param apiUrl - The address of the TrackMate server, such as `https://track.example.com`.
   */
  init(companyId: string, apiUrl: string, options?: TrackMateOptions): void;

  /** Tracks one `page_view` of the present address, and from then on those of a single-page application. */
  trackPageView(): void;

  /**
   * Tracks one event.
   *
   * @param eventType - What happened, such as `add_to_cart`.
   * @param eventData - Any object. What JSON cannot hold is left out. More than 32 KiB is dropped.
   */
  track(eventType: string, eventData?: object): void;

  /**
   * Says who this visitor is: every event of the session, past and future, is then on that person's timeline.
   *
   * @returns A promise that resolves when the message has been delivered, however long that takes, and never rejects.
   */
  identify(identity: Identity, options?: IdentifyOptions): Promise<Identified>;

  /** Ends the session, as at sign-out: what follows is another, anonymous one. */
  reset(): void;

  /** Stops tracking in this browser, forgets the session and all undelivered messages, and remembers only this choice. */
  optOut(): void;

  /** Takes {@link TrackMateApi.optOut} back. */
  optIn(): void;

  /** The session's id, for a back end to name in its webhooks; `null` before `init` and while opted out. */
  getSessionId(): string | null;
}
