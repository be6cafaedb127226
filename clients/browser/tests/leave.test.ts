import { describe, expect, it, vi } from 'vitest';
import { API, beacon, define, openTracked, pass, server, show, stored, taken } from './browser.js';

function hidePage(): void {
  window.dispatchEvent(new Event('pagehide'));
}

describe('a page that goes', () => {
  it.each([
    ['visibilitychange', () => show('hidden')],
    ['pagehide', hidePage],
  ])('at %s hands what is left to the browser, with keepalive and without credentials', async (_event, go) => {
    const { TrackMate } = await openTracked();
    TrackMate.track('one');
    TrackMate.identify({ email: 'sarah@example.com' });
    TrackMate.track('two');
    go();
    expect(server.types).toEqual(['one', 'identify', 'two']);
    for (const { init } of server.requests) expect(init).toMatchObject({ keepalive: true, credentials: 'omit' });
    expect(beacon).not.toHaveBeenCalled();
    await pass(0);
    expect(stored('message:')).toEqual([]);
  });

  it('sends ordinary requests without keepalive, which would limit them to 64 KiB', async () => {
    const { TrackMate } = await openTracked();
    TrackMate.track('one');
    await pass(1_000);
    expect(server.requests[0]!.init.keepalive).toBe(false);
  });

  it('hands over once, though both events come', async () => {
    const { TrackMate } = await openTracked();
    TrackMate.track('one');
    hidePage();
    show('hidden');
    expect(server.requests).toHaveLength(1);
  });

  it('hands over what was tracked between the two events', async () => {
    const { TrackMate } = await openTracked();
    TrackMate.track('one');
    show('hidden');
    TrackMate.track('two');
    hidePage();
    expect(server.types).toEqual(['one', 'two']);
  });

  it('hands over also what is on its way, for the browser cancels that', async () => {
    const { TrackMate } = await openTracked();
    server.answer = () => new Promise(() => {});
    TrackMate.track('one');
    await pass(1_000);
    hidePage();
    expect(server.types).toEqual(['one', 'one']);
    expect(server.requests.map(({ init }) => init.keepalive)).toEqual([false, true]);
  });

  it('does not send again what the browser has delivered meanwhile', async () => {
    const { TrackMate } = await openTracked();
    let open = (): void => {};
    server.answer = (sent) => (sent.init.keepalive ? taken(sent) : new Promise((resolve) => (open = () => resolve(taken(sent)))));
    TrackMate.track('one');
    TrackMate.identify({ email: 'sarah@example.com' });
    TrackMate.track('two');
    await pass(1_000);
    show('hidden');
    await pass(0);
    expect(server.types).toEqual(['one', 'one', 'identify', 'two']);
    open();
    await pass(60_000);
    expect(server.requests).toHaveLength(4);
  });

  it('hands over at most 60 KB, the oldest first, and keeps the rest', async () => {
    const { TrackMate } = await openTracked();
    server.answer = () => new Promise(() => {});
    for (let i = 0; i < 30; i++) TrackMate.track('big', { i, text: 'x'.repeat(5_000) });
    history.pushState(null, '', '/next');
    TrackMate.track('big', { i: 30, text: 'x'.repeat(5_000) });
    hidePage();
    const bytes = server.requests.reduce((sum, { init }) => sum + (init.body as string).length, 0);
    expect(bytes).toBeLessThanOrEqual(60_000);
    expect(bytes).toBeGreaterThan(45_000);
    expect(server.events[0].eventData.i).toBe(0);
    expect(stored('message:')).toHaveLength(31);
  });

  it('uses a beacon where the browser refuses the request, and keeps the messages, for nobody learns whether it arrived', async () => {
    const { TrackMate } = await openTracked();
    server.answer = () => 'offline';
    TrackMate.track('one');
    hidePage();
    await pass(0);
    expect(beacon).toHaveBeenCalledOnce();
    const [url, body] = beacon.mock.calls[0] as [string, string];
    expect(url).toBe(API + '/api/events');
    expect(JSON.parse(body).events).toMatchObject([{ eventType: 'one' }]); // A string: text/plain, no preflight.
    expect(stored('message:')).toHaveLength(1);
  });

  it('survives a browser without any of it', async () => {
    vi.stubGlobal('fetch', () => { throw new TypeError('not here'); });
    define(navigator, 'sendBeacon', undefined);
    const { TrackMate } = await openTracked();
    TrackMate.track('one');
    hidePage();
    await pass(10_000);
    expect(server.types).toEqual(['one']);
  });

  it('and is seen again goes on as before, and hands over again when it goes again', async () => {
    const { TrackMate } = await openTracked();
    server.answer = () => 'offline';
    TrackMate.track('one');
    show('hidden');
    await pass(0);
    show('visible');
    show('hidden');
    await pass(0);
    expect(server.types).toEqual(['one', 'one']);
    show('visible');
    server.answer = taken;
    await pass(1_000);
    expect(stored('message:')).toEqual([]);
  });

  it('respects Retry-After', async () => {
    const { TrackMate } = await openTracked();
    server.answer = () => ({ status: 429, headers: { 'Retry-After': '60' } });
    TrackMate.track('one');
    await pass(1_000);
    hidePage();
    expect(server.requests).toHaveLength(1);
  });

  it('respects a Retry-After that comes while it is hidden', async () => {
    const { TrackMate } = await openTracked();
    server.answer = () => ({ status: 429, headers: { 'Retry-After': '60' } });
    TrackMate.track('one');
    show('hidden');
    await pass(59_000);
    expect(server.requests).toHaveLength(1);
    show('visible');
    await pass(3_000);
    expect(server.requests).toHaveLength(2);
  });

  it('sends nothing when there is nothing, or the visitor has opted out', async () => {
    const { TrackMate } = await openTracked();
    hidePage();
    show('visible');
    TrackMate.track('one');
    TrackMate.optOut();
    hidePage();
    expect(server.requests).toEqual([]);
    expect(beacon).not.toHaveBeenCalled();
  });

  it.each([
    ['visibilitychange', () => show('hidden')],
    ['pagehide', hidePage],
  ])('hands over at once what a listener of the page tracks after ours at %s, and what a hidden page tracks later', async (_event, go) => {
    const { TrackMate } = await openTracked({ flushInterval: 600_000 });
    go();
    TrackMate.track('after_ours');
    expect(server.types).toEqual(['after_ours']);
    expect(server.requests[0]!.init).toMatchObject({ keepalive: true });
    await pass(5_000);
    TrackMate.identify({ email: 'sarah@example.com' });
    expect(server.types).toEqual(['after_ours', 'identify']);
    await pass(0);
    show('visible');
    TrackMate.track('seen_again');
    expect(server.requests).toHaveLength(2);
  });

  it('never has more than 60 KB on the way, and hands over the rest as soon as there is room', async () => {
    const { TrackMate } = await openTracked({ flushInterval: 600_000 });
    const open: (() => void)[] = [];
    server.answer = (sent) => new Promise((resolve) => open.push(() => resolve(taken(sent))));
    hidePage();
    for (let i = 0; i < 30; i++) TrackMate.track('big', { i, text: 'x'.repeat(5_000) });
    const onTheWay = (): number => server.requests.slice(-open.length).reduce((sum, { init }) => sum + (init.body as string).length, 0);
    while (open.length) {
      expect(onTheWay()).toBeLessThanOrEqual(62_000);
      open.splice(0).forEach((answer) => answer());
      await pass(0);
    }
    expect(server.events.map((event) => event.eventData.i)).toEqual(Array.from({ length: 30 }, (_, i) => i));
    expect(stored('message:')).toEqual([]);
  });
});
