import { describe, expect, it, vi } from 'vitest';
import { openTracked, pass, server } from './browser.js';

function addresses(): string[] {
  return server.events.map((event) => event.eventData.address.replace('https://shop.example', ''));
}

/** Changes the address as the browser does it, at back or at a link to a hash: without the page's functions. */
function atBack(address: string, event: string): void {
  const { replaceState } = Object.getPrototypeOf(history) as History;
  replaceState.call(history, null, '', address);
  window.dispatchEvent(new Event(event));
}

describe('trackPageView', () => {
  it('sends one page_view with the address of the page', async () => {
    const { TrackMate } = await openTracked();
    TrackMate.trackPageView();
    await pass(1_000);
    expect(server.events).toMatchObject([{ eventType: 'page_view', eventData: { address: 'https://shop.example/homepage' } }]);
  });

  it('from then on follows a single-page application, and not before', async () => {
    const { TrackMate } = await openTracked();
    history.pushState(null, '', '/before');
    await pass(1_000);
    expect(server.events).toEqual([]);
    TrackMate.trackPageView();
    history.pushState(null, '', '/cart');
    await pass(1_000);
    history.replaceState(null, '', '/checkout?step=1');
    await pass(1_000);
    expect(addresses()).toEqual(['/before', '/cart', '/checkout?step=1']);
  });

  it('follows back and forward', async () => {
    const { TrackMate } = await openTracked({ hash: false });
    TrackMate.trackPageView();
    atBack('/earlier', 'popstate');
    await pass(1_000);
    expect(addresses()).toEqual(['/homepage', '/earlier']);
  });

  it('counts an address once, and not that which a redirect left at once', async () => {
    const { TrackMate } = await openTracked();
    TrackMate.trackPageView();
    history.replaceState({ scroll: 100 }, '');
    history.pushState(null, '', '/homepage');
    await pass(1_000);
    history.pushState(null, '', '/account');
    history.replaceState(null, '', '/login');
    window.dispatchEvent(new Event('popstate'));
    await pass(1_000);
    expect(addresses()).toEqual(['/homepage', '/login']);
  });

  it('called by the page itself at a navigation counts that one once', async () => {
    const { TrackMate } = await openTracked();
    TrackMate.trackPageView();
    history.pushState(null, '', '/cart');
    TrackMate.trackPageView();
    await pass(1_000);
    expect(addresses()).toEqual(['/homepage', '/cart']);
  });

  it('sees the title that the page sets after the navigation', async () => {
    const { TrackMate } = await openTracked();
    TrackMate.trackPageView();
    history.pushState(null, '', '/cart');
    await Promise.resolve();
    document.title = 'Your cart';
    await pass(1_000);
    expect(server.requests[1]!.body.context.page).toMatchObject({ address: 'https://shop.example/cart', title: 'Your cart' });
  });

  it('does not follow when the page says so', async () => {
    const { TrackMate } = await openTracked({ spa: false });
    const { pushState } = history;
    TrackMate.trackPageView();
    expect(history.pushState).toBe(pushState);
    history.pushState(null, '', '/cart');
    await pass(1_000);
    expect(addresses()).toEqual(['/homepage']);
  });

  it('takes a change of the hash for a page only when asked to', async () => {
    const plain = await openTracked();
    plain.TrackMate.trackPageView();
    history.pushState(null, '', '#reviews');
    await pass(1_000);
    expect(addresses()).toEqual(['/homepage']);
    plain.close();

    const { TrackMate } = await openTracked({ hash: true });
    TrackMate.trackPageView();
    atBack('#/cart', 'hashchange');
    await pass(1_000);
    expect(addresses()).toEqual(['/homepage', '/homepage#reviews', '/homepage#/cart']);
  });

  it('counts a page that comes back out of the browser cache', async () => {
    const { TrackMate } = await openTracked();
    TrackMate.trackPageView();
    await pass(1_000);
    window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: false } as never));
    window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }));
    await pass(1_000);
    expect(addresses()).toEqual(['/homepage', '/homepage']);
  });
});

describe('the page\'s history', () => {
  it('gets its arguments, its receiver, its result and its error', async () => {
    const original = vi.fn(function (this: unknown, _state: unknown) { return 'result'; });
    history.pushState = original as never;
    const { TrackMate } = await openTracked();
    TrackMate.trackPageView();
    expect((history.pushState as any)({ a: 1 }, '', '/x')).toBe('result');
    expect(original).toHaveBeenCalledExactlyOnceWith({ a: 1 }, '', '/x');
    expect(original.mock.contexts[0]).toBe(history);
    original.mockImplementation(() => { throw new Error('the router\'s own'); });
    expect(() => history.pushState(null, '', '/y')).toThrow('the router\'s own');
  });

  it('is wrapped once, however often the page is tracked', async () => {
    const { TrackMate } = await openTracked();
    TrackMate.trackPageView();
    const { pushState } = history;
    TrackMate.trackPageView();
    expect(history.pushState).toBe(pushState);
  });
});
