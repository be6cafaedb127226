import { describe, expect, it, vi } from 'vitest';
import { API, COMPANY, define, openPage, openTracked, pass, server, START, storage, stored, warn } from './browser.js';

describe('before init', () => {
  it('nothing is stored and nothing is sent', async () => {
    const { TrackMate } = await openPage();
    TrackMate.trackPageView();
    TrackMate.track('add_to_cart');
    TrackMate.identify({ email: 'sarah@example.com' });
    expect(TrackMate.getSessionId()).toBeNull();
    await pass(60_000);
    expect(storage.length).toBe(0);
    expect(server.requests).toEqual([]);
  });

  it('calls are kept and replayed in order, at the time they were made', async () => {
    const { TrackMate } = await openPage();
    TrackMate.trackPageView();
    await pass(2_000);
    TrackMate.track('add_to_cart', { productId: 'PROD-001' });
    const identified = TrackMate.identify({ email: 'sarah@example.com' });
    TrackMate.track('checkout_started');
    await pass(3_000);
    TrackMate.init(COMPANY, API);
    await pass(1_000);
    expect(server.types).toEqual(['page_view', 'add_to_cart', 'identify', 'checkout_started']);
    expect(server.events[0].timestamp).toBe(new Date(START).toISOString());
    expect(server.events[1].timestamp).toBe(new Date(START + 2_000).toISOString());
    expect(await identified).toEqual({ profileId: '671234567890abcdef123456' });
  });

  it('the calls that are kept are bounded, and an identify beyond the bound resolves', async () => {
    const { TrackMate } = await openPage();
    for (let i = 0; i < 600; i++) TrackMate.track('click', { i });
    expect(await TrackMate.identify({ email: 'sarah@example.com' })).toEqual({ profileId: null });
    TrackMate.init(COMPANY, API);
    await pass(5_000);
    expect(server.events).toHaveLength(500);
    expect(server.events[0].eventData).toEqual({ i: 0 });
  });
});

describe('init', () => {
  it('stores nothing and sends nothing', async () => {
    await openTracked();
    await pass(60_000);
    expect(storage.length).toBe(0);
    expect(server.requests).toEqual([]);
  });

  it('counts once: a second one, of the same or another company, changes nothing', async () => {
    const { TrackMate } = await openTracked();
    TrackMate.init(COMPANY, API);
    TrackMate.init('TM-OTHER', 'https://other.example');
    TrackMate.track('click');
    await pass(1_000);
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]!.url).toBe(API + '/api/events');
    expect(server.requests[0]!.body.company_id).toBe(COMPANY);
  });

  it('takes the address of the server with or without a slash at its end', async () => {
    const { TrackMate } = await openPage();
    TrackMate.init(COMPANY, API + '//');
    TrackMate.track('click');
    await pass(1_000);
    expect(server.requests[0]!.url).toBe(API + '/api/events');
  });

  it('without a company id says so in the console and leaves the page alone', async () => {
    const { TrackMate } = await openPage();
    (TrackMate.init as () => void)();
    TrackMate.track('click');
    expect(warn).toHaveBeenCalledOnce();
    expect(storage.length).toBe(0);
    TrackMate.init(COMPANY, API, null as never);
    await pass(1_000);
    expect(server.types).toEqual(['click']);
  });
});

describe('a page', () => {
  it('never sees an error, whatever it passes and whatever the browser lacks', async () => {
    const { TrackMate } = await openTracked();
    const bad: any = { get boom() { throw new Error('getter'); } };
    expect(() => {
      TrackMate.track('bad', bad);
      TrackMate.track(undefined as never, null as never);
      TrackMate.track(Symbol('x') as never, (() => {}) as never);
      TrackMate.trackPageView();
    }).not.toThrow();
    expect(await TrackMate.identify(null as never)).toEqual({ profileId: null });
    TrackMate.identify({ email: 'sarah@example.com', bad });
    await pass(0);
    expect(server.requests.at(-1)!.body).toMatchObject({ email: 'sarah@example.com', traits: { bad: {} } });

    vi.stubGlobal('crypto', undefined);
    storage.clear();
    expect(() => TrackMate.track('no_crypto')).not.toThrow();
    expect(TrackMate.getSessionId()).toBeNull();
    expect(await TrackMate.identify({ email: 'a@b.example' })).toEqual({ profileId: null });
  });

  it('that is only prerendered is tracked when it is shown, as of then', async () => {
    define(document, 'prerendering', true);
    const { TrackMate } = await openTracked();
    TrackMate.trackPageView();
    await pass(60_000);
    expect(server.requests).toEqual([]);
    expect(stored()).toEqual([]);
    define(document, 'prerendering', false);
    document.dispatchEvent(new Event('prerenderingchange'));
    await pass(1_000);
    expect(server.events).toMatchObject([{ eventType: 'page_view', timestamp: new Date(START + 60_000).toISOString() }]);
  });
});

describe('outside a browser', () => {
  it('the module can be imported and called, as when a page is rendered on a server', async () => {
    const { TrackMate } = await openPage();
    vi.stubGlobal('window', undefined);
    expect(() => {
      TrackMate.init(COMPANY, API);
      TrackMate.trackPageView();
    }).not.toThrow();
    expect(TrackMate.getSessionId()).toBeNull();
    vi.unstubAllGlobals();
  });
});
