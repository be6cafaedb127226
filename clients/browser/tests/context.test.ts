import { describe, expect, it } from 'vitest';
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
    expect(body.events[0].eventData.address).toHaveLength(5_021);
  });
});
