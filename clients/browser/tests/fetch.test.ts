import { describe, expect, it, vi } from 'vitest';
import { openTracked, pass, server, stored, taken } from './browser.js';

describe('a page whose fetch is wrapped', () => {
  it.each<[string, () => unknown]>([
    ['throws', () => { throw new TypeError('init.headers is undefined'); }],
    ['rejects', () => Promise.reject(new TypeError("Cannot read properties of undefined (reading 'set')"))],
    ['returns nothing', () => undefined],
    ['returns no promise', () => 42],
    ['resolves with nothing', () => Promise.resolve()],
    ['resolves with something of its own', () => Promise.resolve({ ok: true })],
    ['resolves with an opaque response', () => Promise.resolve({ status: 0, type: 'opaque', headers: new Headers(), text: async () => '' })],
  ])('and %s: the older way is taken, once and for all', async (_how, wrapped) => {
    const fetch = vi.fn(wrapped);
    vi.stubGlobal('fetch', fetch);
    const { TrackMate } = await openTracked();
    TrackMate.track('one');
    const identified = TrackMate.identify({ email: 'sarah@example.com' });
    await pass(5_000);
    expect(server.types.sort()).toEqual(['identify', 'one']);
    expect(server.requests.every(({ init }) => init.method === 'older')).toBe(true);
    expect(await identified).toEqual({ profileId: '671234567890abcdef123456' });
    const calls = fetch.mock.calls.length;
    TrackMate.track('two');
    await pass(1_000);
    expect(server.types).toContain('two');
    expect(fetch.mock.calls.length).toBe(calls);
    expect(stored('message:')).toEqual([]);
  });

  it('and never answers: it is given up after 30 seconds', async () => {
    vi.stubGlobal('fetch', () => new Promise(() => {}));
    const { TrackMate } = await openTracked();
    TrackMate.track('one');
    await pass(1_000 + 29_999);
    expect(server.requests).toEqual([]);
    await pass(3_000);
    expect(server.types).toEqual(['one']);
  });

  it('and adds headers: the request is passed on as it is', async () => {
    vi.stubGlobal('fetch', (url: string, init: RequestInit) => server.fetch(url, { ...init, headers: { ...init.headers, traceparent: '00-1-2-01' } }));
    const { TrackMate } = await openTracked();
    TrackMate.track('one');
    await pass(1_000);
    expect(server.types).toEqual(['one']);
    expect(server.requests[0]!.init).toMatchObject({ headers: { traceparent: '00-1-2-01' }, credentials: 'omit' });
  });

  it('respects Retry-After on the older way too', async () => {
    vi.stubGlobal('fetch', () => { throw new Error('mine'); });
    server.answer = () => ({ status: 429, headers: { 'Retry-After': '60' } });
    const { TrackMate } = await openTracked();
    TrackMate.track('one');
    await pass(5_000);
    expect(server.requests).toHaveLength(1);
    server.answer = taken;
    await pass(54_000);
    expect(server.requests).toHaveLength(1);
    await pass(5_000);
    expect(server.types).toEqual(['one', 'one']);
  });
});

/** What an ad blocker stops has no answer at all. */
function blocking(part: string): void {
  server.answer = (sent) => (sent.url.includes(part) ? 'offline' : taken(sent));
}

describe('an ad blocker', () => {
  it('that stops the events does not stop an identify, now or later', async () => {
    blocking('/events');
    const { TrackMate } = await openTracked();
    TrackMate.trackPageView();
    TrackMate.track('add_to_cart');
    await pass(120_000);
    const identified = TrackMate.identify({ email: 'sarah@example.com' });
    await pass(0);
    expect(await identified).toEqual({ profileId: '671234567890abcdef123456' });
    expect(stored('message:')).toHaveLength(2);
    const again = TrackMate.identify({ email: 'sarah@example.com', plan: 'gold' });
    await pass(0);
    expect(await again).toEqual({ profileId: '671234567890abcdef123456' });
    server.answer = taken;
    await pass(300_000);
    expect(stored('message:')).toEqual([]);
    expect(server.events.slice(-2).map((event) => event.eventType)).toEqual(['page_view', 'add_to_cart']);
  });

  it('that stops an identify does not stop the events', async () => {
    blocking('/profile');
    const { TrackMate } = await openTracked();
    TrackMate.identify({ email: 'sarah@example.com' });
    TrackMate.track('one');
    await pass(1_000);
    TrackMate.track('two');
    await pass(1_000);
    expect(server.events.map((event) => event.eventType)).toEqual(['one', 'two']);
    expect(stored('message:')).toHaveLength(1);
  });

  it('is not tried more often than a server that is away', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(1);
    blocking('/events');
    const { TrackMate } = await openTracked();
    for (let second = 0; second < 120; second++) {
      TrackMate.track('tick');
      await pass(1_000);
    }
    expect(server.requests.length).toBeLessThan(8);
  });

  it('that answers instead of the server, for all, is a server that asks to wait', async () => {
    server.answer = () => ({ status: 503 });
    const { TrackMate } = await openTracked();
    TrackMate.track('one');
    TrackMate.identify({ email: 'sarah@example.com' });
    await pass(500);
    expect(server.types).toEqual(['one']);
  });
});
