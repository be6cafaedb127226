import { describe, expect, it, vi } from 'vitest';
import { define, openTracked, pass, server } from './browser.js';

describe('the context', () => {
  it('has the page, where the visitor came from and the campaign', async () => {
    history.replaceState(null, '', '/landing?utm_source=newsletter&utm_medium=email&utm_campaign=autumn&utm_term=head%20phones&utm_content=top&utm_x=1');
    define(document, 'referrer', 'https://news.example/');
    const { TrackMate } = await openTracked();
    TrackMate.track('click');
    await pass(1_000);
    const { context } = server.requests[0]!.body;
    expect(context.page.referrer).toBe('https://news.example/');
    expect(context.page.address).toContain('https://shop.example/landing?utm_source=newsletter');
    expect(context.utm).toEqual({ source: 'newsletter', medium: 'email', campaign: 'autumn', term: 'head phones', content: 'top' });
    define(document, 'referrer', '');
  });

  it('has only the parts of a campaign that are there', async () => {
    history.replaceState(null, '', '/?utm_source=ad&utm_medium=');
    const { TrackMate } = await openTracked();
    TrackMate.track('click');
    await pass(1_000);
    expect(server.requests[0]!.body.context.utm).toEqual({ source: 'ad' });
  });

  it('holds nothing else of the browser', async () => {
    const { TrackMate } = await openTracked();
    TrackMate.track('click');
    await pass(1_000);
    expect(Object.keys(server.requests[0]!.body.context)).toEqual(['page', 'screen', 'language', 'timezone', 'sdk']);
  });

  it('cuts what is endless', async () => {
    history.replaceState(null, '', '/' + 'x'.repeat(5_000));
    document.title = '\u{1F600}'.repeat(2_000);
    const { TrackMate } = await openTracked();
    TrackMate.trackPageView();
    await pass(1_000);
    const { body } = server.requests[0]!;
    expect(body.context.page.address).toHaveLength(2_048);
    expect(body.context.page.title).toHaveLength(2_048);
    expect(body.events[0].eventData.address).toHaveLength(2_048);
  });

  const broken = (): never => { throw new RangeError('not here'); };
  const getter = (target: object, name: string): (() => void) => {
    const before = Object.getOwnPropertyDescriptor(target, name);
    Object.defineProperty(target, name, { get: broken, configurable: true });
    return () => (before ? Object.defineProperty(target, name, before) : delete (target as Record<string, unknown>)[name]);
  };

  it.each<[string, () => () => void, string]>([
    ['Intl.DateTimeFormat', () => { vi.spyOn(Intl, 'DateTimeFormat').mockImplementation(broken); return () => {}; }, 'timezone'],
    ['Intl', () => { vi.stubGlobal('Intl', undefined); return () => {}; }, 'timezone'],
    ['screen', () => { vi.stubGlobal('screen', undefined); return () => {}; }, 'screen'],
    ['screen.width', () => getter(screen, 'width'), 'screen'],
    ['navigator.language', () => getter(navigator, 'language'), 'language'],
    ['URLSearchParams', () => { vi.stubGlobal('URLSearchParams', broken); return () => {}; }, 'utm'],
    ['document.title', () => getter(document, 'title'), 'page.title'],
    ['a form called title', () => { const undo = getter(document, 'title'); define(document, 'title', document.createElement('form')); return undo; }, 'page.title'],
    ['document.referrer', () => getter(document, 'referrer'), 'page.referrer'],
    ['navigator.locks', () => getter(navigator, 'locks'), ''],
    ['document.cookie', () => getter(document, 'cookie'), ''],
    ['performance', () => { vi.stubGlobal('performance', undefined); return () => {}; }, ''],
    ['AbortController', () => { vi.stubGlobal('AbortController', broken); return () => {}; }, ''],
    ['a frozen history', () => { const { pushState } = history; Object.defineProperty(history, 'pushState', { value: pushState, writable: false, configurable: true }); return () => define(history, 'pushState', pushState); }, ''],
    ['a console that throws', () => { vi.spyOn(console, 'warn').mockImplementation(broken); return () => {}; }, ''],
  ])('leaves out the part that throws: %s', async (_what, breakIt, part) => {
    history.replaceState(null, '', '/homepage?utm_source=ad');
    define(document, 'referrer', 'https://news.example/');
    const { TrackMate } = await openTracked({ debug: true });
    const undo = breakIt();
    TrackMate.trackPageView();
    await pass(1_000);
    undo();
    define(document, 'referrer', '');
    expect(server.types).toEqual(['page_view']);
    const { context } = server.requests[0]!.body;
    const parts: Record<string, unknown> = { ...context, 'page.title': context.page.title, 'page.referrer': context.page.referrer };
    for (const each of ['utm', 'screen', 'language', 'timezone', 'page.title', 'page.referrer']) expect([each, each in parts && parts[each] !== undefined]).toEqual([each, each !== part]);
  });

  it('cuts an address with an endless hash, and keeps the event', async () => {
    history.replaceState(null, '', '/#' + 'x'.repeat(40_000));
    define(document, 'referrer', 'https://news.example/' + 'y'.repeat(40_000));
    const { TrackMate } = await openTracked();
    TrackMate.trackPageView();
    await pass(1_000);
    define(document, 'referrer', '');
    const { body } = server.requests[0]!;
    expect(body.events[0].eventData.address).toHaveLength(2_048);
    expect(body.context.page.referrer).toHaveLength(2_048);
  });

  it('cuts the parts of a campaign too', async () => {
    history.replaceState(null, '', '/?utm_source=' + 'x'.repeat(40_000));
    const { TrackMate } = await openTracked();
    TrackMate.track('click');
    await pass(1_000);
    expect(server.requests[0]!.body.context.utm.source).toHaveLength(2_048);
  });
});
