/**
 * The public API: what a page can call, and nothing of how it is done.
 *
 * @packageDocumentation
 */

/** Settings of {@link TrackMateApi.init}. All are optional. */
export interface TrackMateOptions {
  /**
   * Where the public calls are below the address of the server. `'/t'` are neutral names of the same calls, for a
   * first-party path of your own. Default `'/api'`.
   */
  path?: string;
  /** After the first `trackPageView()`, follow navigation inside a single-page application. Default `true`. */
  spa?: boolean;
  /** A change of only the part after `#` is another page too. Default `false`. */
  hash?: boolean;
  /** Whether `history.replaceState` may lead to another page. Default `true`. */
  replaceState?: boolean;
  /** Leave query and hash out of all addresses; a change of only them is no other page. Default `false`. */
  pathOnly?: boolean;
  /**
   * More names of query and hash parameters whose values are masked in addresses and referrers, besides those that are
   * masked by default (`token`, `code`, `password`, `email` …). `false` masks nothing.
   */
  mask?: readonly string[] | false;
  /**
   * Sees each message before it is kept, and may return another one, change it in place, or return `null` to drop it.
   * If it throws, the message is kept as it was.
   */
  beforeSend?: (message: OutgoingMessage) => OutgoingMessage | null | false | void;
  /**
   * How long the promise of `identify()` waits, in milliseconds; then it resolves with `profileId: null`, and the
   * message stays queued. 0 waits until it is delivered. Default 5000.
   */
  identifyTimeout?: number;
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
  /**
   * One visitor on all subdomains of this domain (`'shop.example'`), by a cookie that holds the session's id and a
   * choice to opt out. Only in the larger build, `trackmate.extra.js`. Default none: no cookie.
   */
  cookieDomain?: string;
  /**
   * One visitor across these domains of yours (`['shop.example', 'shop-pay.example']`), by a parameter in the links
   * between them. Only in the larger build, `trackmate.extra.js`. Default none.
   */
  linkDomains?: readonly string[];
}

/** What {@link TrackMateOptions.beforeSend} sees of an event. */
export interface OutgoingEvent {
  eventType: string;
  eventData: Record<string, unknown>;
  /** Page, campaign, screen, language and time zone. */
  context?: Record<string, unknown>;
  readonly timestamp: string;
  readonly eventId: string;
}

/** What {@link TrackMateOptions.beforeSend} sees of an identify. */
export interface OutgoingIdentify {
  email?: string;
  externalId?: string;
  name?: string;
  traits?: Record<string, unknown>;
  token?: string;
  readonly timestamp: string;
  readonly eventId: string;
}

/** Told apart by `'eventType' in message`. */
export type OutgoingMessage = OutgoingEvent | OutgoingIdentify;

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
  /**
   * The profile's id; `null` when the message was refused or dropped, the visitor has opted out, or it is not
   * delivered yet (`identifyTimeout`), and always where there is no browser.
   */
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
   * @returns A promise that resolves when the message has been delivered, or when `identifyTimeout` has passed, and
   * never rejects.
   */
  identify(identity: Identity, options?: IdentifyOptions): Promise<Identified>;

  /**
   * The same, as Segment's users write it.
   *
   * @param id - The company's own id of the person; or the e-mail address, where `traits` has no other one.
   */
  identify(id: string | number, traits?: Identity | null, options?: IdentifyOptions): Promise<Identified>;

  /** Ends the session, as at sign-out: what follows is another, anonymous one. */
  reset(): void;

  /** Stops tracking in this browser, forgets the session and all undelivered messages, and remembers only this choice. */
  optOut(): void;

  /** Takes {@link TrackMateApi.optOut} back. */
  optIn(): void;

  /** The session's id, for a back end to name in its webhooks; `null` before `init` and while opted out. */
  getSessionId(): string | null;
}
