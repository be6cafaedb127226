import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { TrackMateOptions } from '../src/api.js';
import { COMPANY, define, openTracked, pass, PREFIX, server, session, START, storage, stored, type Page } from './browser.js';

const ID = 'session_1760781000_0123456789abcdef0123456789abcdef';
const COOKIE = `trackmate_${COMPANY}_session`;

/** document.cookie of one domain, which its subdomains share. */
class Cookies {
  readonly values = new Map<string, string>();
  readonly written: string[] = [];
  refuses = false;
  install(): void {
    Object.defineProperty(document, 'cookie', {
      configurable: true,
      get: () => [...this.values].map(([name, value]) => `${name}=${value}`).join('; '),
      set: (text: string) => {
        this.written.push(text);
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(text)!;
        if (/Max-Age=0/.test(text)) this.values.delete(name!);
        else if (!this.refuses) this.values.set(name!, value!);
      },
    });
  }
}

let cookies: Cookies;
beforeEach(() => {
  vi.stubGlobal('SDK_EXTRAS', true);
  cookies = new Cookies();
  cookies.install();
});
afterEach(() => {
  delete (document as { cookie?: unknown }).cookie;
  define(document, 'referrer', '');
});

/** The same browser on another subdomain: another storage, the same cookies. */
async function onOther(options: TrackMateOptions): Promise<Page> {
  storage.values.clear();
  return openTracked(options);
}

describe('cookieDomain', () => {
  const options = { cookieDomain: 'shop.example' };

  it('makes one session of all subdomains, from the first event on and not before', async () => {
    const one = await openTracked(options);
    expect(cookies.written).toEqual([]);
    const id = one.TrackMate.getSessionId()!;
    expect(cookies.values.get(COOKIE)).toBe(`${id}.${START}.`);
    expect(cookies.written[0]).toContain('; Domain=shop.example; Path=/; Max-Age=34128000; SameSite=Lax; Secure');
    one.close();
    const two = await onOther(options);
    expect(two.TrackMate.getSessionId()).toBe(id);
  });

  it('keeps the address of the person on the subdomain where it was given', async () => {
    const one = await openTracked(options);
    one.TrackMate.identify({ email: 'sarah@example.com' });
    const id = one.TrackMate.getSessionId();
    expect([...cookies.values.values()].join()).not.toContain('sarah');
    expect(session().email).toBe('sarah@example.com');
    one.TrackMate.identify({ email: 'priya@example.com' });
    expect(one.TrackMate.getSessionId()).not.toBe(id);
    expect(cookies.values.get(COOKIE)).toContain(one.TrackMate.getSessionId());
  });

  it('a sign-out on one subdomain is one on all', async () => {
    const one = await openTracked(options);
    const id = one.TrackMate.getSessionId();
    const kept = new Map(storage.values);
    one.close();
    const two = await onOther(options);
    two.TrackMate.reset();
    expect(cookies.values.size).toBe(0);
    two.close();
    storage.values.clear();
    for (const [name, value] of kept) storage.values.set(name, value);
    const back = await openTracked(options);
    expect(back.TrackMate.getSessionId()).not.toBe(id);
  });

  it('takes over the session from before it was used', async () => {
    const before = await openTracked();
    const id = before.TrackMate.getSessionId();
    before.close();
    const { TrackMate } = await openTracked(options);
    expect(TrackMate.getSessionId()).toBe(id);
    TrackMate.identify({ email: 'sarah@example.com' });
    expect(cookies.values.get(COOKIE)).toContain(id);
  });

  it('a choice to opt out holds on all subdomains, and no session is left', async () => {
    const one = await openTracked(options);
    one.TrackMate.track('click');
    one.TrackMate.optOut();
    expect([...cookies.values.keys()]).toEqual([`trackmate_${COMPANY}_optout`]);
    one.close();
    const two = await onOther(options);
    two.TrackMate.track('click');
    expect(two.TrackMate.getSessionId()).toBeNull();
    two.TrackMate.optIn();
    expect(cookies.values.size).toBe(0);
    expect(two.TrackMate.getSessionId()).toMatch(/^session_/);
  });

  it('where no cookie can be set, works as without it', async () => {
    cookies.refuses = true;
    const one = await openTracked(options);
    const id = one.TrackMate.getSessionId();
    one.close();
    const two = await openTracked(options);
    expect(two.TrackMate.getSessionId()).toBe(id);
    Object.defineProperty(document, 'cookie', { configurable: true, get() { throw new Error('sandboxed'); }, set() { throw new Error('sandboxed'); } });
    two.TrackMate.track('click');
    await pass(1_000);
    expect(server.types).toEqual(['click']);
  });

  it('with storage: memory sets none', async () => {
    const { TrackMate } = await openTracked({ ...options, storage: 'memory' });
    TrackMate.track('click');
    expect(cookies.written).toEqual([]);
  });

  it('a session of too great an age is replaced', async () => {
    cookies.values.set(COOKIE, `${ID}.${START - 400 * 86_400_000}.`);
    const { TrackMate } = await openTracked(options);
    expect(TrackMate.getSessionId()).not.toBe(ID);
  });

  it.each(['', '.', 'x', `${ID}`, `${ID}.x`, `${ID}".1","email":"a@b.c"`])('a cookie that is none of ours begins a new session: %s', async (value) => {
    cookies.values.set(COOKIE, value);
    const { TrackMate } = await openTracked(options);
    expect(TrackMate.getSessionId()).toMatch(/^session_\d{10}_[0-9a-f]{32}$/);
    TrackMate.track('click');
    await pass(1_000);
    expect(server.types).toEqual(['click']);
  });
});

describe('linkDomains', () => {
  const options = { linkDomains: ['shop.example', 'pay.example'] };
  const now = START / 1000;
  const arrive = async (path: string, referrer = 'https://www.pay.example/', more = {}): Promise<Page> => {
    history.replaceState({ mine: 1 }, '', path);
    define(document, 'referrer', referrer);
    return openTracked({ ...options, ...more });
  };

  it('begins with the session of the link, and takes it out of the address', async () => {
    const { TrackMate } = await arrive(`/checkout?a=1&_tm=${ID}.${now}&b=2#top`);
    expect(location.href).toBe('https://shop.example/checkout?a=1&b=2#top');
    expect(history.state).toEqual({ mine: 1 });
    expect(stored()).toEqual([]);
    TrackMate.trackPageView();
    expect(TrackMate.getSessionId()).toBe(ID);
    await pass(1_000);
    expect(server.requests[0]!.body.sessionId).toBe(ID);
    expect(JSON.stringify(server.requests[0]!.body)).not.toContain('_tm');
  });

  it.each([
    ['is old', `${ID}.${now - 121}`, undefined],
    ['is of a clock that is wrong', `${ID}.${now + 121}`, undefined],
    ['comes from elsewhere', `${ID}.${now}`, 'https://evil.example/'],
    ['comes from a name that only ends so', `${ID}.${now}`, 'https://notpay.example/'],
    ['comes from nowhere', `${ID}.${now}`, ''],
    ['is no session of ours', `session_1_x.${now}`, undefined],
    ['is empty', '', undefined],
    ['holds more', `${ID}.${now}"><script>`, undefined],
  ])('a link that %s begins nothing, and is taken out all the same', async (_what, value, referrer) => {
    const { TrackMate } = await arrive(`/?_tm=${encodeURIComponent(value)}`, referrer);
    expect(location.href).toBe('https://shop.example/');
    expect(TrackMate.getSessionId()).not.toBe(ID);
  });

  it('leaves the session of somebody who is known here', async () => {
    storage.values.set(PREFIX + 'session', JSON.stringify({ id: 'session_mine', since: START, email: 'sarah@example.com' }));
    const { TrackMate } = await arrive(`/?_tm=${ID}.${now}`);
    expect(TrackMate.getSessionId()).toBe('session_mine');
  });

  it('replaces one that nobody has identified', async () => {
    storage.values.set(PREFIX + 'session', JSON.stringify({ id: 'session_mine', since: START }));
    const { TrackMate } = await arrive(`/?_tm=${ID}.${now}`);
    expect(TrackMate.getSessionId()).toBe(ID);
    TrackMate.reset();
    expect(TrackMate.getSessionId()).not.toBe(ID);
  });

  it('and an opt-out: the link is taken out, and nothing is stored', async () => {
    storage.values.set(PREFIX + 'optout', '1');
    const { TrackMate } = await arrive(`/?_tm=${ID}.${now}`);
    expect(location.search).toBe('');
    expect(TrackMate.getSessionId()).toBeNull();
    expect(stored()).toEqual(['optout']);
  });

  const click = (html: string, type = 'click'): HTMLElement => {
    document.body.innerHTML = html;
    const inner = document.body.querySelector<HTMLElement>('[data-here]')!;
    inner.addEventListener(type, (event) => event.preventDefault());
    inner.dispatchEvent(new MouseEvent(type, { bubbles: true, cancelable: true, composed: true }));
    return document.body.querySelector<HTMLElement>('a, form')!;
  };

  it.each(['click', 'auxclick'])('gives a link to another of the domains the session, at the %s', async (type) => {
    const { TrackMate } = await openTracked(options);
    const link = click('<a href="https://www.pay.example/cart?a=1#top"><b data-here>Pay</b></a>', type) as HTMLAnchorElement;
    expect(link.href).toBe(`https://www.pay.example/cart?a=1&_tm=${TrackMate.getSessionId()}.${now}#top`);
    await pass(60_000);
    link.querySelector('b')!.dispatchEvent(new MouseEvent(type, { bubbles: true, cancelable: true, composed: true }));
    expect(link.href).toBe(`https://www.pay.example/cart?a=1&_tm=${TrackMate.getSessionId()}.${now + 60}#top`);
  });

  it.each(['https://elsewhere.example/', 'https://notpay.example/', 'https://shop.example/here', 'mailto:a@pay.example', '#top', 'javascript:void 0'])(
    'gives it to nobody else: %s',
    async (href) => {
      await openTracked(options);
      expect((click(`<a href="${href}" data-here>x</a>`) as HTMLAnchorElement).getAttribute('href')).toBe(href);
    },
  );

  it('gives none before init or while the visitor has opted out', async () => {
    storage.values.set(PREFIX + 'optout', '1');
    await openTracked(options);
    expect((click('<a href="https://pay.example/" data-here>x</a>') as HTMLAnchorElement).href).toBe('https://pay.example/');
  });

  it.each([
    ['post', 'https://pay.example/pay?_tm='],
    ['get', 'https://pay.example/pay'],
  ])('gives a form that is sent there with %s the session', async (method, action) => {
    const { TrackMate } = await openTracked(options);
    document.body.innerHTML = `<form action="https://pay.example/pay" method="${method}"><button></button></form>`;
    const form = document.body.querySelector('form')!;
    form.addEventListener('submit', (event) => event.preventDefault());
    form.dispatchEvent(new Event('submit', { bubbles: true, cancelable: true }));
    expect(form.action.startsWith(action)).toBe(true);
    if (method === 'get') expect(new FormData(form).get('_tm')).toBe(`${TrackMate.getSessionId()}.${now}`);
    else expect(form.action).toContain(TrackMate.getSessionId()!);
  });
});
