import { describe, expect, it } from 'vitest';
import type { OutgoingMessage } from '../src/api.js';
import { API, COMPANY, define, openPage, openTracked, pass, server, stored } from './browser.js';

describe('beforeSend', () => {
  it('sees each message, and may change it or return another one', async () => {
    const seen: OutgoingMessage[] = [];
    const { TrackMate } = await openTracked({
      beforeSend(message) {
        seen.push(structuredClone(message));
        if ('eventType' in message) return { ...message, eventData: { ...message.eventData, shop: 'de' } };
        delete message.traits;
        return undefined;
      },
    });
    const data = { price: 1 };
    TrackMate.track('click', data);
    TrackMate.identify({ email: 'sarah@example.com', birthday: '1990-01-01' });
    await pass(1_000);
    expect(server.events[0].eventData).toEqual({ price: 1, shop: 'de' });
    expect(data).toEqual({ price: 1 });
    expect(server.requests[1]!.body).toMatchObject({ email: 'sarah@example.com' });
    expect(server.requests[1]!.body.traits).toBeUndefined();
    expect(seen).toMatchObject([
      { eventType: 'click', eventData: { price: 1 }, context: { page: { address: 'https://shop.example/homepage' } } },
      { email: 'sarah@example.com', traits: { birthday: '1990-01-01' } },
    ]);
  });

  it('changes its own copy only', async () => {
    const { TrackMate } = await openTracked({ beforeSend: (message) => { if ('eventType' in message) (message.eventData.inner as any).a = 2; } });
    const data = { inner: { a: 1 } };
    TrackMate.track('click', data);
    await pass(1_000);
    expect(data.inner.a).toBe(1);
    expect(server.events[0].eventData.inner.a).toBe(2);
  });

  it('may change or leave out where it happened', async () => {
    const { TrackMate } = await openTracked({ beforeSend: (message) => { if ('eventType' in message) delete message.context; } });
    TrackMate.track('click');
    await pass(1_000);
    expect(server.types).toEqual(['click']);
    expect(server.requests[0]!.body.context).toBeUndefined();
  });

  it.each([null, false] as const)('drops what it answers with %s', async (answer) => {
    const { TrackMate } = await openTracked({ beforeSend: () => answer });
    TrackMate.track('click');
    expect(await TrackMate.identify({ email: 'sarah@example.com' })).toEqual({ profileId: null });
    await pass(1_000);
    expect(server.requests).toEqual([]);
    expect(stored('message:')).toEqual([]);
  });

  it.each<[string, () => any]>([
    ['throws', () => { throw new Error('mine'); }],
    ['answers nothing', () => {}],
    ['answers true', () => true],
    ['answers a promise', async () => null],
    ['answers a text', () => 'yes'],
  ])('that %s loses nothing', async (_how, beforeSend) => {
    const { TrackMate } = await openTracked({ beforeSend });
    TrackMate.track('click', { a: 1 });
    const identified = TrackMate.identify({ email: 'sarah@example.com' });
    await pass(1_000);
    expect(server.events[0]).toMatchObject({ eventType: 'click', eventData: { a: 1 } });
    expect(await identified).toEqual({ profileId: '671234567890abcdef123456' });
  });

  it('that takes the address out of an identify leaves it out of the storage too', async () => {
    const { TrackMate } = await openTracked({ beforeSend: (message) => { if (!('eventType' in message)) delete message.email; } });
    TrackMate.identify({ email: 'sarah@example.com', externalId: '42' });
    await pass(1_000);
    expect(server.requests[0]!.body.externalId).toBe('42');
    expect(stored().map((name) => localStorage.getItem(`trackmate:${COMPANY}:${name}`)).join()).not.toContain('sarah');
  });
});

describe('a secret in an address', () => {
  const addressOf = async (path: string, options = {}): Promise<string> => {
    history.replaceState(null, '', path);
    const page = await openTracked(options);
    page.TrackMate.trackPageView();
    await pass(1_000);
    const { body } = server.requests.at(-1)!;
    expect(body.events[0].eventData.address).toBe(body.context.page.address);
    page.close();
    return body.context.page.address.slice('https://shop.example'.length);
  };

  it.each([
    ['/?token=s3cret&page=2', '/?token=***&page=2'],
    ['/?page=2&access_token=s3cret', '/?page=2&access_token=***'],
    ['/#access_token=s3cret&token_type=bearer', '/#access_token=***&token_type=***'],
    ['/#/reset?code=s3cret', '/#/reset?code=***'],
    ['/?ID_TOKEN=s3cret&refreshToken=s3cret', '/?ID_TOKEN=***&refreshToken=***'],
    ['/?user%5Bpassword%5D=s3cret', '/?user%5Bpassword%5D=***'],
    ['/?newPassword=s3cret&email=a%40b.c', '/?newPassword=***&email=***'],
    ['/?state=s3cret&session=s3cret&sid=s3cret&PHPSESSID=s3cret', '/?state=***&session=***&sid=***&PHPSESSID=***'],
    ['/?next=/login?token=s3cret&x=1', '/?next=/login?token=***&x=1'],
    ['/?next=https%3A%2F%2Fa.b%2F%3Ftoken%3Ds3cret', '/?next=https%3A%2F%2Fa.b%2F%3Ftoken%3D***'],
    ['/;jsessionid=s3cret?page=2', '/;jsessionid=***'],
    ['/?password=a?s3cret=&x=1', '/?password=***&x=1'],
    ['/?token=', '/?token=***'],
  ])('%s', async (given, sent) => {
    expect(await addressOf(given)).toBe(sent);
  });

  it.each(['/?q=headphones&page=2&sort=price', '/?coupon_code_x=1', '/search?keyword=a&barcode=7&author=jane', '/token/code', '/?utm_source=mail', '/#top', '/?'])(
    'is not in %s, which stays',
    async (given) => {
      expect(await addressOf(given)).toBe(given);
    },
  );

  it('in the referrer is masked too', async () => {
    define(document, 'referrer', 'https://id.example/callback?code=s3cret&ok=1');
    const { TrackMate } = await openTracked();
    TrackMate.track('click');
    await pass(1_000);
    expect(server.requests[0]!.body.context.page.referrer).toBe('https://id.example/callback?code=***&ok=1');
    define(document, 'referrer', '');
  });

  it('of the page\'s own names is masked besides, and with false none is', async () => {
    expect(await addressOf('/?customer=7&token=s3cret&page=2', { mask: ['customer'] })).toBe('/?customer=***&token=***&page=2');
    expect(await addressOf('/?token=1', { mask: false })).toBe('/?token=1');
  });

  it('takes no time in an endless address', async () => {
    const started = performance.now();
    for (const part of ['a', '%3D', '?a=', '&token', '=', ';', '%3f']) await addressOf('/?' + part.repeat(40_000 / part.length));
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});

describe('pathOnly', () => {
  it('leaves query and hash out of every address, and a change of only them is no page', async () => {
    define(document, 'referrer', 'https://news.example/a?b=c');
    history.replaceState(null, '', '/list?page=1#top');
    const { TrackMate } = await openTracked({ pathOnly: true });
    TrackMate.trackPageView();
    history.pushState(null, '', '/list?page=2');
    await pass(1_000);
    history.pushState(null, '', '/item?id=7');
    await pass(1_000);
    expect(server.events.map((event) => event.eventData.address)).toEqual(['https://shop.example/list', 'https://shop.example/item']);
    expect(server.requests[0]!.body.context.page).toMatchObject({ address: 'https://shop.example/list', referrer: 'https://news.example/a' });
    define(document, 'referrer', '');
  });
});

describe('replaceState: false', () => {
  it('counts what is pushed, and not what is replaced', async () => {
    const { TrackMate } = await openTracked({ replaceState: false });
    TrackMate.trackPageView();
    history.replaceState(null, '', '/list?filter=red');
    await pass(1_000);
    history.pushState(null, '', '/item');
    await pass(1_000);
    expect(server.events.map((event) => event.eventData.address.slice(20))).toEqual(['/homepage', '/item']);
  });
});

describe('path', () => {
  it.each([
    [API, '/t', API + '/t/events'],
    [API + '//', '/t', API + '/t/events'],
    ['', '/t', '/t/events'],
    ['https://shop.example/metrics', '/t', 'https://shop.example/metrics/t/events'],
    [API, undefined, API + '/api/events'],
  ])('of %s and %s', async (apiUrl, path, url) => {
    const { TrackMate } = await openPage();
    TrackMate.init(COMPANY, apiUrl, path ? { path } : {});
    TrackMate.track('click');
    await pass(1_000);
    expect(server.requests[0]!.url).toBe(url);
    TrackMate.identify({ email: 'sarah@example.com' });
    await pass(0);
    expect(server.requests[1]!.url).toBe(url.replace('events', 'profile'));
  });
});
