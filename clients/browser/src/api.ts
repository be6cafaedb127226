/**
 * The public API: the methods and settings that a page can use.
 *
 * @packageDocumentation
 */

/** Settings of {@link TrackMateApi.init}. All are optional. */
export interface TrackMateOptions {
  /**
   * The path of the public calls on the server. `'/t'` has neutral names for the same calls, for a first-party path of
   * your own. Default `'/api'`.
   */
  path?: string;
  /** After the first `trackPageView()`, follow navigation inside a single-page application. Default `true`. */
  spa?: boolean;
  /** Count a change of only the part after `#` as another page. Default `false`. */
  hash?: boolean;
  /** Whether `history.replaceState` can be a page view. Default `true`. */
  replaceState?: boolean;
  /** Remove query and hash from all addresses; a change of only them is then no page view. Default `false`. */
  pathOnly?: boolean;
  /**
   * More names of query and hash parameters whose values are masked in addresses and referrers, in addition to the
   * default ones (`token`, `code`, `password`, `email` …). `false` masks nothing.
   */
  mask?: readonly string[] | false;
  /**
   * Receives each message before it is queued. It may return another message, change it in place, or return `null` to
   * drop it. If it throws, the message is queued unchanged.
   */
  beforeSend?: (message: OutgoingMessage) => OutgoingMessage | null | false | void;
  /**
   * How long the promise of `identify()` waits, in milliseconds. After that it resolves with `profileId: null`, and the
   * message stays queued. 0 waits until the message is delivered. Default 5000.
   */
  identifyTimeout?: number;
  /** The age in days at which a session is replaced by a new one. Default 395 (13 months). */
  sessionMaxAgeDays?: number;
  /** Treat a visitor whose browser sends Do Not Track or Global Privacy Control as opted out. Default `false`. */
  respectDoNotTrack?: boolean;
  /** How long an event may wait for others to be sent with, in milliseconds. Default 1000. */
  flushInterval?: number;
  /** Report in the console which messages were dropped or rejected, and why. Default `false`. */
  debug?: boolean;
  /**
   * Where the session and the undelivered messages are stored. `'memory'` stores nothing in the browser
   * (except a choice to opt out): every page load is then a new session. Default `'localStorage'`.
   */
  storage?: 'localStorage' | 'memory';
  /**
   * Recognize one visitor on all subdomains of this domain (`'shop.example'`), by a cookie with the session's id and a
   * choice to opt out. Only in the larger build, `trackmate.extra.js`. Default none: no cookie.
   */
  cookieDomain?: string;
  /**
   * Recognize one visitor across these domains of yours (`['shop.example', 'shop-pay.example']`), by a parameter in the
   * links between them. Only in the larger build, `trackmate.extra.js`. Default none.
   */
  linkDomains?: readonly string[];
}

/** An event as {@link TrackMateOptions.beforeSend} receives it. */
export interface OutgoingEvent {
  eventType: string;
  eventData: Record<string, unknown>;
  /** Page, campaign, screen, language and time zone. */
  context?: Record<string, unknown>;
  readonly timestamp: string;
  readonly eventId: string;
}

/** An identify as {@link TrackMateOptions.beforeSend} receives it. */
export interface OutgoingIdentify {
  email?: string;
  externalId?: string;
  name?: string;
  traits?: Record<string, unknown>;
  token?: string;
  readonly timestamp: string;
  readonly eventId: string;
}

/** Use `'eventType' in message` to distinguish the two. */
export type OutgoingMessage = OutgoingEvent | OutgoingIdentify;

/** Who a person is. Every other field becomes a trait of the profile. */
export interface Identity {
  /** The person's e-mail address. An address that differs from the session's last one begins a new session. */
  email?: string | null | undefined;
  /** The company's own id of the person. */
  externalId?: string | number | null | undefined;
  /** The name to show. */
  name?: string | null | undefined;
  [trait: string]: unknown;
}

/** Settings of one {@link TrackMateApi.identify}. */
export interface IdentifyOptions {
  /** A JWT signed by the company's back end for this person, which makes the claim verified. */
  token?: string;
}

/** The answer to {@link TrackMateApi.identify}. */
export interface Identified {
  /**
   * The profile's id. `null` if the message was rejected or dropped, if the visitor has opted out, if it is not
   * delivered yet (`identifyTimeout`), and always outside a browser.
   */
  profileId: string | null;
}

/**
 * TrackMate in a browser. No method ever throws into the page. Calls before {@link TrackMateApi.init} are recorded
 * and replayed after it, in order.
 */
export interface TrackMateApi {
  /** The version of this SDK. */
  readonly version: string;

  /**
   * Sets the company and the server. It sends nothing new by itself, but delivers messages that an earlier page left
   * undelivered. Only the first call has an effect.
   *
   * @param companyId - The public id of the company, such as `TM-SHOP99`.
   * @param apiUrl - The address of the TrackMate server, such as `https://track.example.com`.
   */
  init(companyId: string, apiUrl: string, options?: TrackMateOptions): void;

  /** Tracks one `page_view` of the current address, and from then on those of a single-page application. */
  trackPageView(): void;

  /**
   * Tracks one event.
   *
   * @param eventType - What happened, such as `add_to_cart`.
   * @param eventData - Any object. Values that JSON cannot represent are left out. More than 32 KiB is dropped.
   */
  track(eventType: string, eventData?: object): void;

  /**
   * Identifies this visitor: every event of the session, past and future, is then on that person's timeline.
   *
   * @returns A promise that resolves when the message has been delivered, or when `identifyTimeout` has passed. It
   * never rejects.
   */
  identify(identity: Identity, options?: IdentifyOptions): Promise<Identified>;

  /**
   * The same with Segment's signature.
   *
   * @param id - The company's own id of the person; or the e-mail address, if `traits` has no other one.
   */
  identify(id: string | number, traits?: Identity | null, options?: IdentifyOptions): Promise<Identified>;

  /** Ends the session, as at sign-out. Later events belong to a new anonymous session. */
  reset(): void;

  /** Stops tracking in this browser, deletes the session and all undelivered messages, and stores only this choice. */
  optOut(): void;

  /** Undoes {@link TrackMateApi.optOut}. */
  optIn(): void;

  /** The session's id, for a back end to name in its webhooks; `null` before `init` and while opted out. */
  getSessionId(): string | null;
}
