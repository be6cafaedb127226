import type { TrackMateOptions } from './api.js';
import { OPTED_OUT } from './consent.js';
import { attempt, note, on } from './safely.js';
import { SESSION } from './session.js';
import type { KeptValues } from './storage.js';

/** The parameter that carries a session to another domain: the session's id, a dot, and the Unix time of the click. */
const PARAMETER = '_tm';
const LINKED = /^(session_(\d{10})_[0-9a-f]{32})\.(\d{10})$/;
/** How long a link is valid, in seconds: long enough for a slow page, too short to be passed on. */
const LINK_LIFETIME = 120;
const DAY = 86_400;
/** The longest lifetime of a cookie in browsers. */
const MOST_DAYS = 400;

/** Features that few sites need: one visitor on several subdomains (`cookieDomain`) and across domains (`linkDomains`). */
export function openExtras(companyId: string, options: TrackMateOptions) {
  const { cookieDomain, linkDomains = [], storage: kind, sessionMaxAgeDays = 395 } = options;
  const maxAge = Math.min(sessionMaxAgeDays, MOST_DAYS) * DAY;
  const linked = attempt(() => takeLinked(linkDomains));

  /** Continues the session of the link, unless this browser has an identified session already. */
  const withLink = (storage: KeptValues): KeptValues => {
    let open = linked;
    return {
      ...storage,
      lookUp(name) {
        const kept = storage.lookUp(name);
        if (name !== SESSION || !open) return kept;
        const [id, since] = open;
        open = undefined;
        if (kept?.includes('"email"')) return kept;
        storage.keepValue(SESSION, `{"id":"${id}","since":${since}000}`);
        return storage.lookUp(SESSION);
      },
    };
  };

  return {
    share(storage: KeptValues): KeptValues {
      return withLink(cookieDomain && kind !== 'memory' ? withCookie(storage, companyId, cookieDomain, maxAge) : storage);
    },
    start(sessionId: () => string | null): void {
      if (linkDomains.length) decorateLinks(linkDomains, sessionId);
    },
  };
}

/**
 * Stores the session's id and a choice to opt out in cookies of the whole domain, and everything else in the storage of
 * this subdomain. The e-mail address stays in the storage, since cookies are sent to every server of the domain.
 *
 * If the cookie is missing, the session was ended on another subdomain, and the storage's copy is discarded. Only a
 * session from before the option was used has no mark, and is kept.
 */
function withCookie(storage: KeptValues, companyId: string, domain: string, maxAge: number): KeptValues {
  const nameOf = (name: string): string => `trackmate_${encodeURIComponent(companyId)}_${name}`;
  const read = (name: string): string | undefined =>
    attempt(() => document.cookie.split('; ').find((each) => each.startsWith(nameOf(name) + '='))?.slice(nameOf(name).length + 1));
  const write = (name: string, value: string, age: number): void => {
    attempt(() => {
      const secure = location.protocol === 'https:' ? '; Secure' : '';
      document.cookie = `${nameOf(name)}=${value}; Domain=${domain}; Path=/; Max-Age=${Math.round(age)}; SameSite=Lax${secure}`;
    });
    if (age && read(name) === undefined) note(`no cookie can be set for the domain ${domain}`);
  };
  const shared = (name: string): boolean => name === SESSION || name === OPTED_OUT;

  return {
    ...storage,
    lookUp(name) {
      const kept = storage.lookUp(name);
      if (!shared(name)) return kept;
      const cookie = read(name);
      if (name === OPTED_OUT) return cookie ?? kept;
      if (!cookie) return kept?.includes('"shared"') ? undefined : kept;
      const [id, since, after] = cookie.split('.');
      if (kept?.includes(`"id":"${id}"`)) return kept;
      return `{"id":"${id}","since":${Number(since)}${after ? `,"after":"${after}"` : ''}}`;
    },
    keepValue(name, value) {
      if (name === SESSION) {
        const [id, since, after] = ['id', 'since', 'after'].map((member) => new RegExp(`"${member}":"?([^",}]+)`).exec(value)?.[1] ?? '');
        write(name, `${id}.${since}.${after}`, maxAge - (Date.now() - Number(since)) / 1000);
        // If no cookie can be set, the session is limited to this subdomain, as without the option.
        storage.keepValue(name, read(name) ? value.replace('{', '{"shared":1,') : value);
      } else {
        if (name === OPTED_OUT) write(name, value, MOST_DAYS * DAY);
        storage.keepValue(name, value);
      }
    },
    dropValue(name) {
      if (shared(name) && read(name) !== undefined) write(name, '', 0);
      storage.dropValue(name);
    },
  };
}

/**
 * Reads the session, and its time, from a link of another of the company's domains, and removes the parameter from the
 * address at once. It is valid only while it is fresh, and only if the browser says that the visitor comes from one of
 * the domains. So a link that somebody else has created, copied or mailed has no effect.
 */
function takeLinked(domains: readonly string[]): [id: string, since: number] | undefined {
  const address = new URL(location.href);
  const value = address.searchParams.get(PARAMETER);
  if (value === null) return undefined;
  // As text, so that the rest of the query stays exactly as the page knows it.
  const query = location.search.replace(new RegExp(`([?&])${PARAMETER}=[^&]*(&|$)`, 'g'), (_all, before: string, after: string) => (after ? before : ''));
  attempt(() => history.replaceState(history.state, '', location.pathname + query + location.hash));

  const [, id, since, clicked] = LINKED.exec(value) ?? [];
  const age = Date.now() / 1000 - Number(clicked);
  if (id && age > -LINK_LIFETIME && age < LINK_LIFETIME && document.referrer && isOneOf(domains, new URL(document.referrer).hostname)) return [id, Number(since)];
  note('a link with a session is not fresh, or comes from elsewhere');
  return undefined;
}

/** Adds the session to each link and form that leads to another of the domains, at the moment it is used. */
function decorateLinks(domains: readonly string[], sessionId: () => string | null): void {
  const decorated = (address: string): string | undefined => {
    const url = new URL(address, location.href);
    const id = sessionId();
    if (!/^https?:$/.test(url.protocol) || url.hostname === location.hostname || !isOneOf(domains, url.hostname) || !id) return undefined;
    url.searchParams.set(PARAMETER, `${id}.${Math.floor(Date.now() / 1000)}`);
    return url.href;
  };
  const click = (event: Event): void => {
    const [target] = event.composedPath();
    const link = target instanceof Element ? target.closest<HTMLAnchorElement>('a[href], area[href]') : null;
    const address = link && decorated(link.href);
    if (address) link.href = address;
  };
  on(document, 'click', click);
  on(document, 'auxclick', click);
  on(document, 'submit', (event) => {
    const form = event.target as HTMLFormElement;
    const address = decorated(form.action);
    if (!address) return;
    if (form.method !== 'get') {
      form.action = address;
      return;
    }
    // The query of a GET form is made of its fields.
    const field = form.querySelector<HTMLInputElement>(`input[name="${PARAMETER}"]`) ?? document.createElement('input');
    Object.assign(field, { type: 'hidden', name: PARAMETER, value: new URL(address).searchParams.get(PARAMETER) });
    form.append(field);
  });
}

function isOneOf(domains: readonly string[], host: string): boolean {
  return domains.some((domain) => host === domain || host.endsWith('.' + domain));
}
