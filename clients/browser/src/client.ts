import type { Identified, Identity, IdentifyOptions, TrackMateOptions } from './api.js';
import { openConsent, OPTED_OUT } from './consent.js';
import { contextOf } from './context.js';
import { openDelivery } from './deliver.js';
import { newEventId } from './ids.js';
import { bytesOf, toJson } from './json.js';
import { followPages } from './pages.js';
import { openQueue } from './queue.js';
import { note, safely, speakUp } from './safely.js';
import { send } from './send.js';
import { openSessions, SESSION } from './session.js';
import { openStorage } from './storage.js';

/** The contract's limit of one event. */
const MOST_BYTES = 32 * 1024;

/** What happens after `init`: the path from a call to the queue. `time` is when the page called. */
export type Client = ReturnType<typeof startClient>;

export function startClient(companyId: string, apiUrl: string, options: TrackMateOptions) {
  speakUp(!!options.debug);
  const prefix = `trackmate:${companyId}:`;
  const storage = openStorage(prefix, options.storage !== 'memory');
  const consent = openConsent(openStorage(prefix, true), !!options.respectDoNotTrack);
  const queue = openQueue(storage);
  const sessions = openSessions(storage, options.sessionMaxAgeDays ?? 395, queue.move);
  const delivery = openDelivery(queue, consent, options.flushInterval ?? 1000, prefix + 'send', (messages, leaving) =>
    send(apiUrl, companyId, messages, leaving),
  );
  let pageSeen: (() => void) | undefined;

  /** Puts one message into the queue. What is too large for the server is dropped here, where it can be told. */
  function keep(
    kind: 'event' | 'identity',
    content: { eventId: string },
    envelope: { sessionId: string; context?: object },
    told?: (answer: Identified) => void,
  ): void {
    const text = toJson(content);
    if (bytesOf(text) > MOST_BYTES) {
      note('dropped, for it is larger than 32 KiB', content);
      told?.({ profileId: null });
      return;
    }
    queue.add(content.eventId, `{"${kind}":${text},${toJson(envelope).slice(1)}`, told);
    delivery.added(!!told);
  }

  function track(time: number, eventType: string, eventData?: object): void {
    if (consent.stopped()) return;
    const event = { eventType, eventData: eventData ?? {}, timestamp: new Date(time).toISOString(), eventId: newEventId() };
    keep('event', event, { sessionId: sessions.id(), context: contextOf() });
  }

  function trackPageView(time: number): void {
    pageSeen ??= options.spa === false ? () => {} : followPages(!!options.hash, () => trackPageView(Date.now()));
    pageSeen();
    track(time, 'page_view', { address: location.href });
  }

  function forget(): void {
    queue.clear();
    sessions.end();
  }

  addEventListener('online', safely(delivery.online));
  addEventListener('pagehide', safely(delivery.leave));
  addEventListener(
    'pageshow',
    safely(() => {
      queue.thawed();
      delivery.comeBack();
    }),
  );
  document.addEventListener(
    'visibilitychange',
    safely(() => (document.visibilityState === 'hidden' ? delivery.leave() : delivery.comeBack())),
  );
  addEventListener(
    'storage',
    safely(({ key, newValue }: StorageEvent) => {
      if (key === null || key.startsWith(prefix)) queue.changedElsewhere(key?.slice(prefix.length), newValue);
      if (!key || key === prefix + SESSION) sessions.changedElsewhere();
      // The tab in which the visitor opted out cannot reach what this one keeps in memory.
      if (key === prefix + OPTED_OUT && newValue) forget();
    }),
  );
  delivery.look();

  return {
    track,
    trackPageView,
    identify(time: number, told: (answer: Identified) => void, identity: Identity, identifyOptions?: IdentifyOptions): void {
      if (consent.stopped()) return told({ profileId: null });
      const { email, externalId, name, ...traits } = identity;
      const content = {
        email,
        externalId: typeof externalId === 'number' ? String(externalId) : externalId,
        name,
        traits: Object.keys(traits).length ? traits : undefined,
        timestamp: new Date(time).toISOString(),
        eventId: newEventId(),
        token: identifyOptions?.token,
      };
      keep('identity', content, { sessionId: sessions.idFor(email) }, told);
    },
    reset: () => sessions.end(),
    optOut(): void {
      consent.optOut();
      forget();
    },
    optIn: () => consent.optIn(),
    getSessionId: () => (consent.stopped() ? null : sessions.id()),
  };
}
