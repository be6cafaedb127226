import type { Identified, Identity, IdentifyOptions, OutgoingMessage, TrackMateOptions } from './api.js';
import { OPTED_OUT, stopsAll } from './consent.js';
import { openSurroundings } from './context.js';
import { openDelivery } from './deliver.js';
import { newEventId } from './ids.js';
import { MOST_BYTES, quote, toJson } from './json.js';
import { openExtras } from './extras.js';
import { followPages } from './pages.js';
import { openQueue } from './queue.js';
import { attempt, emptyRecord, on, speakUp } from './safely.js';
import { send } from './send.js';
import { isAddress, openSessions } from './session.js';
import { openStorage, type KeptValues } from './storage.js';

/** Everything after `init`: the path from a call to the queue. `time` is the time of the call. */
export type Client = ReturnType<typeof startClient>;

/** Whether this is the larger build, with features that few sites need. */
declare const SDK_EXTRAS: boolean;

type Resolve = (answer: Identified) => void;
type Draft = Record<string, unknown>;

export function startClient(companyId: string, apiUrl: string, options: TrackMateOptions) {
  speakUp(!!options.debug);
  const extras = SDK_EXTRAS ? openExtras(companyId, options) : undefined;

  const prefix = `trackmate:${companyId}:`;
  const open = (persistent: boolean): KeptValues => {
    const kept = openStorage(prefix, persistent);
    return extras ? extras.share(kept) : kept;
  };
  const storage = open(options.storage !== 'memory');
  const choice = open(true);
  const stopped = (): boolean => stopsAll(choice, options.respectDoNotTrack);
  const queue = openQueue(storage);
  const sessions = openSessions(storage, options.sessionMaxAgeDays ?? 395, queue.moveAll);
  const base = apiUrl.replace(/\/+$/, '') + (options.path ?? '/api') + '/';
  const delivery = openDelivery(queue, stopped, options.flushInterval ?? 1000, prefix + 'send', (messages, leaving) =>
    send(base, companyId, messages, leaving),
  );
  const surroundings = openSurroundings(options);
  let pageSeen: (() => void) | undefined;

  /** Adds one message to the queue, after the page's `beforeSend`. */
  function keep(draft: Draft, time: number, resolve?: Resolve): void {
    const eventId = newEventId();
    let message: Draft | null | false = { ...draft, timestamp: new Date(time).toISOString(), eventId };
    const { beforeSend } = options;
    if (beforeSend) {
      attempt(() => {
        // A copy, so that the page's own object does not change.
        const copy = JSON.parse(toJson(message, 2 * MOST_BYTES)) as OutgoingMessage & Draft;
        const answer = beforeSend(copy) as Draft | null | undefined;
        // A promise, or any other value that is not a message, is ignored.
        message = answer?.eventId ? answer : answer === null || (answer as unknown) === false ? null : copy;
      });
    }
    // The caller reports messages that are dropped here.
    if (!message) throw 'beforeSend';

    const { context, ...content } = message;
    const text = toJson(content);
    const sessionId = sessions.idFor(resolve && content.email);
    queue.enqueue(
      eventId,
      `{"${resolve ? 'identity' : 'event'}":${text},"sessionId":${quote(sessionId)}${context ? ',"context":' + toJson(context) : ''}}`,
      resolve,
    );
    delivery.added(resolve ? 'profile' : 'events');
  }

  function track(time: number, [eventType, eventData]: unknown[]): void {
    if (!stopped()) keep({ eventType, eventData: eventData ?? {}, context: surroundings.contextNow() }, time);
  }

  function trackPageView(time: number): void {
    if (options.spa !== false) (pageSeen ??= followPages(options, () => trackPageView(Date.now())))();
    track(time, ['page_view', { address: surroundings.addressOf(() => location.href) }]);
  }

  const forget = (): void => {
    queue.discardAll();
    sessions.finish();
  };

  on(window, 'online', delivery.online);
  on(window, 'pagehide', delivery.leave);
  on(window, 'pageshow', () => {
    queue.changedElsewhere();
    delivery.comeBack();
  });
  on(document, 'visibilitychange', () => (document.visibilityState === 'hidden' ? delivery.leave() : delivery.comeBack()));
  on(window, 'storage', ({ key, newValue }: StorageEvent) => {
    queue.changedElsewhere(key, newValue);
    sessions.changedElsewhere();
    // If the visitor opted out in another tab, that tab cannot clear the messages in this one's memory.
    if (stopped()) forget();
  });
  delivery.added('events');

  const getSessionId = (): string | null => (stopped() ? null : sessions.idFor());
  extras?.start(getSessionId);

  return {
    getSessionId,
    track,
    trackPageView,
    /** `identify(identity, options?)`; or with Segment's signature, `identify(id, traits?, options?)`. */
    identify(time: number, [first, second, third]: unknown[], resolve: Resolve): void {
      if (stopped()) return resolve({ profileId: null });
      const whole = first && typeof first === 'object';
      // Without any identifier the call is dropped: `identify(user?.id)` of an anonymous visitor.
      const [identity, settings] = (whole ? [first, second] : [second ?? (first && {}), third]) as [Identity, IdentifyOptions?];
      const read = (name: string): unknown => attempt(() => identity[name]);
      let traits: Draft | undefined;
      for (const name of Object.keys(identity)) {
        if (!/^(email|externalId|name)$/.test(name)) (traits ??= emptyRecord())[name] = read(name);
      }
      let email = read('email');
      let externalId = read('externalId');
      if (isAddress(first) && (email ?? first) === first) email = first;
      else if (!whole) externalId = first ?? externalId;
      keep({ email, externalId: externalId && '' + externalId, name: read('name'), traits, token: settings?.token }, time, resolve);
    },
    reset: sessions.finish,
    optOut(): void {
      choice.keepValue(OPTED_OUT, '1');
      forget();
    },
    optIn: () => choice.dropValue(OPTED_OUT),
  };
}
