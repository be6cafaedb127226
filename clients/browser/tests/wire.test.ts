import { describe, expect, it, vi } from 'vitest';
import { API, COMPANY, openTracked, pass, server, START, storage, stored, taken, warn } from './browser.js';
import { version } from '../package.json';

const UUIDV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('a batch of events', () => {
  it('is sent exactly as in the contract', async () => {
    const { TrackMate } = await openTracked();
    TrackMate.track('add_to_cart', { productInfos: [{ productId: 'PROD-001', price: 79.99 }] });
    await pass(1);
    TrackMate.track('checkout_started');
    await pass(999);
    expect(server.requests).toHaveLength(1);
    const { url, body } = server.requests[0]!;
    expect(url).toBe(API + '/api/events');
    expect(body).toEqual({
      company_id: COMPANY,
      sessionId: TrackMate.getSessionId(),
      sentAt: new Date(START + 1_000).toISOString(),
      context: {
        page: { address: 'https://shop.example/homepage', title: 'Homepage' },
        screen: { width: 1024, height: 768 },
        language: 'en-US',
        timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
        sdk: { name: 'browser', version },
      },
      events: [
        {
          eventType: 'add_to_cart',
          eventData: { productInfos: [{ productId: 'PROD-001', price: 79.99 }] },
          timestamp: '2025-10-18T10:00:00.000Z',
          eventId: expect.stringMatching(UUIDV7),
        },
        { eventType: 'checkout_started', eventData: {}, timestamp: '2025-10-18T10:00:00.001Z', eventId: expect.stringMatching(UUIDV7) },
      ],
    });
  });

  it('is a request without preflight, credentials or a body type of its own', async () => {
    const { TrackMate } = await openTracked();
    TrackMate.track('click');
    await pass(1_000);
    const { init } = server.requests[0]!;
    expect(init).toMatchObject({ method: 'POST', credentials: 'omit' });
    expect(init.mode ?? 'cors').toBe('cors');
    expect(init.headers).toBeUndefined();
    expect(typeof init.body).toBe('string'); // fetch then says text/plain;charset=UTF-8, which is CORS-safelisted.
  });

  it('holds only events of the same page and session, and the order stays', async () => {
    const { TrackMate } = await openTracked({ spa: false });
    TrackMate.track('one');
    TrackMate.track('two');
    history.pushState(null, '', '/other');
    TrackMate.track('three');
    history.pushState(null, '', '/homepage');
    TrackMate.track('four');
    TrackMate.reset();
    TrackMate.track('five');
    await pass(1_000);
    expect(server.requests.map(({ body }) => body.events.map((event: any) => event.eventType))).toEqual([
      ['one', 'two'], ['three'], ['four'], ['five'],
    ]);
    expect(server.requests.map(({ body }) => body.context.page.address.slice(20))).toEqual(['/homepage', '/other', '/homepage', '/homepage']);
  });

  it('has at most 500 events', async () => {
    const { TrackMate } = await openTracked();
    for (let i = 0; i < 501; i++) TrackMate.track('click', { i });
    await pass(1_000);
    expect(server.requests.map(({ body }) => body.events.length)).toEqual([500, 1]);
    expect(server.events.map((event) => event.eventData.i)).toEqual(Array.from({ length: 501 }, (_, i) => i));
  });

  it('has at most 1 MiB', async () => {
    const { TrackMate } = await openTracked();
    for (let i = 0; i < 45; i++) TrackMate.track('big', { text: '€'.repeat(10_700) });
    await pass(1_000);
    expect(server.events).toHaveLength(45);
    expect(server.requests.length).toBeGreaterThan(1);
    for (const { init } of server.requests) expect(new Blob([init.body as string]).size).toBeLessThanOrEqual(1_048_576);
  });

  it('waits for the interval that the page asks for', async () => {
    const { TrackMate } = await openTracked({ flushInterval: 5_000 });
    TrackMate.track('click');
    await pass(4_999);
    expect(server.requests).toEqual([]);
    await pass(1);
    expect(server.types).toEqual(['click']);
  });
});

describe('an event', () => {
  it('of more than 32 KiB is dropped, told only with debug, and does not stop the others', async () => {
    const { TrackMate } = await openTracked();
    TrackMate.track('large', { text: 'é'.repeat(16_384) });
    TrackMate.track('small');
    expect(warn).not.toHaveBeenCalled();
    expect(stored('message:')).toHaveLength(1);
    await pass(1_000);
    expect(server.types).toEqual(['small']);

    const { TrackMate: debugged } = await openTracked({ debug: true });
    debugged.track('large', { text: 'é'.repeat(16_384) });
    expect(warn).toHaveBeenCalledOnce();
  });

  it('of nearly 32 KiB is sent', async () => {
    const { TrackMate } = await openTracked();
    TrackMate.track('large', { text: 'x'.repeat(32_500) });
    await pass(1_000);
    expect(server.types).toEqual(['large']);
  });

  it('is what it was when it was tracked, though the page changes the object later', async () => {
    const { TrackMate } = await openTracked();
    const cart = { items: 1 };
    TrackMate.track('cart', cart);
    cart.items = 2;
    await pass(1_000);
    expect(server.events[0].eventData).toEqual({ items: 1 });
  });
});

describe('an identify', () => {
  it('is sent exactly as in the contract', async () => {
    const { TrackMate } = await openTracked();
    const answer = TrackMate.identify(
      { name: 'Sarah Johnson', email: 'sarah@example.com', externalId: 42, plan: 'gold', seats: 3 },
      { token: 'signed' },
    );
    await pass(0);
    expect(server.requests[0]!.url).toBe(API + '/api/profile');
    expect(server.requests[0]!.body).toEqual({
      company_id: COMPANY,
      sessionId: TrackMate.getSessionId(),
      email: 'sarah@example.com',
      externalId: '42',
      name: 'Sarah Johnson',
      traits: { plan: 'gold', seats: 3 },
      timestamp: '2025-10-18T10:00:00.000Z',
      eventId: expect.stringMatching(UUIDV7),
      token: 'signed',
      sentAt: '2025-10-18T10:00:00.000Z',
    });
    expect(await answer).toEqual({ profileId: '671234567890abcdef123456' });
  });

  it('is a request of its own, also beside another one', async () => {
    const { TrackMate } = await openTracked();
    server.answer = ({ body }) => ({ status: 200, body: { profileId: 'of ' + (body.email ?? body.externalId) } });
    const answers = Promise.all([TrackMate.identify({ email: 'sarah@example.com' }), TrackMate.identify({ externalId: '42' })]);
    await pass(0);
    expect(server.requests).toHaveLength(2);
    expect(await answers).toEqual([{ profileId: 'of sarah@example.com' }, { profileId: 'of 42' }]);
  });

  it('leaves out what was not given', async () => {
    const { TrackMate } = await openTracked();
    TrackMate.identify({ email: 'sarah@example.com' });
    await pass(0);
    expect(Object.keys(server.requests[0]!.body).sort()).toEqual(['company_id', 'email', 'eventId', 'sentAt', 'sessionId', 'timestamp']);
  });

  it('goes at once, and takes along what is waiting', async () => {
    const { TrackMate } = await openTracked();
    await pass(60_000);
    TrackMate.identify({ email: 'sarah@example.com' });
    await pass(0);
    TrackMate.track('waiting');
    await pass(0);
    expect(server.types).toEqual(['identify']);
    TrackMate.identify({ email: 'sarah@example.com', plan: 'gold' });
    await pass(0);
    expect(server.types).toEqual(['identify', 'waiting', 'identify']);
  });

  it('is not overtaken by later events, nor does it overtake earlier ones', async () => {
    const { TrackMate } = await openTracked();
    let open = (): void => {};
    server.answer = (sent) => new Promise((resolve) => (open = () => resolve(taken(sent))));
    TrackMate.track('before');
    TrackMate.identify({ email: 'sarah@example.com' });
    TrackMate.track('after');
    await pass(5_000);
    expect(server.types).toEqual(['before']);
    open();
    await pass(5_000);
    expect(server.types).toEqual(['before', 'identify']);
    open();
    await pass(5_000);
    expect(server.types).toEqual(['before', 'identify', 'after']);
  });

  it.each([400, 401, 403, 404, 413, 422])('that is refused with %i resolves to null', async (status) => {
    const { TrackMate } = await openTracked();
    server.answer = () => ({ status, body: { detail: 'no' } });
    const answer = TrackMate.identify({ email: 'nobody' });
    await pass(0);
    expect(await answer).toEqual({ profileId: null });
    expect(stored('message:')).toEqual([]);
  });

  it('without a time limit resolves when it is delivered at last, and not before', async () => {
    const { TrackMate } = await openTracked({ identifyTimeout: 0 });
    server.answer = () => 'offline';
    let answer: unknown;
    TrackMate.identify({ email: 'sarah@example.com' }).then((it) => (answer = it));
    await pass(3_600_000);
    expect(answer).toBeUndefined();
    server.answer = taken;
    await pass(300_000);
    expect(answer).toEqual({ profileId: '671234567890abcdef123456' });
  });

  it('of more than 32 KiB resolves to null', async () => {
    const { TrackMate } = await openTracked();
    expect(await TrackMate.identify({ email: 'a@b.example', text: 'x'.repeat(33_000) })).toEqual({ profileId: null });
  });

  it('answered with something else than a profile resolves to null', async () => {
    const { TrackMate } = await openTracked();
    server.answer = () => ({ status: 200, body: '<html>' });
    const answer = TrackMate.identify({ email: 'sarah@example.com' });
    await pass(0);
    expect(await answer).toEqual({ profileId: null });
  });

  it('leaves no gap: what is tracked the moment it resolves is sent', async () => {
    const { TrackMate } = await openTracked();
    const sent = TrackMate.identify({ email: 'sarah@example.com' }).then(() => TrackMate.track('next'));
    await pass(0);
    await sent;
    await pass(1_000);
    expect(server.types).toEqual(['identify', 'next']);
    for (let tick = 0; tick < 12; tick++) {
      const identified = TrackMate.identify({ email: 'sarah@example.com' });
      let later: Promise<unknown> = identified;
      for (let i = 0; i < tick; i++) later = later.then(() => {});
      later.then(() => TrackMate.track('tick ' + tick));
      await pass(2_000);
      expect(server.types.at(-1)).toBe('tick ' + tick);
    }
    expect(storage.length).toBe(1);
    expect(vi.getTimerCount()).toBeGreaterThanOrEqual(0);
  });
});
