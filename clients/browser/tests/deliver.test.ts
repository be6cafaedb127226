import { describe, expect, it, vi } from 'vitest';
import { openTracked, pass, PREFIX, server, START, storage, stored, taken, warn, type Reply, type Sent } from './browser.js';

/** A server that refuses a request with any of these event types in it. */
function refusing(status: number, ...types: string[]): (sent: Sent) => Reply {
  return (sent) => (sent.body.events?.some((event: any) => types.includes(event.eventType)) ? { status } : taken(sent));
}

describe('a refused message', () => {
  it.each([400, 401, 403, 404, 405, 410, 413, 415, 422])('with %i is dropped, and the queue goes on', async (status) => {
    const { TrackMate } = await openTracked({ spa: false });
    server.answer = refusing(status, 'bad');
    TrackMate.track('bad');
    history.pushState(null, '', '/next');
    TrackMate.track('good');
    await pass(1_000);
    expect(server.types).toEqual(['bad', 'good']);
    expect(stored('message:')).toEqual([]);
    await pass(600_000);
    expect(server.requests).toHaveLength(2);
  });

  it.each([400, 413, 422])('of a batch answered %i does not take the others with it', async (status) => {
    const { TrackMate } = await openTracked();
    server.answer = refusing(status, 'bad');
    for (const type of ['one', 'two', 'three', 'bad', 'four', 'five', 'six']) TrackMate.track(type);
    await pass(1_000);
    const arrived = server.requests.filter(({ body }) => !body.events.some((event: any) => event.eventType === 'bad'));
    expect(arrived.flatMap(({ body }) => body.events.map((event: any) => event.eventType))).toEqual([
      'one', 'two', 'three', 'four', 'five', 'six',
    ]);
    expect(server.requests.at(-1)!.body.events.length).toBeLessThan(7);
    expect(stored('message:')).toEqual([]);
  });

  it('of a batch that the server has taken is not sent again', async () => {
    const { TrackMate } = await openTracked({ debug: true });
    server.answer = () => ({ status: 200, body: { accepted: 1, duplicates: 0, rejected: [{ index: 0, status: 422, detail: 'too deep' }] } });
    TrackMate.track('bad');
    TrackMate.track('good');
    await pass(600_000);
    expect(server.requests).toHaveLength(1);
    expect(stored('message:')).toEqual([]);
    expect(warn.mock.calls.flat().join(' ')).toContain('too deep');
  });

  it('with 401 is told once in the console, for nothing will ever arrive', async () => {
    const { TrackMate } = await openTracked();
    server.answer = () => ({ status: 401, body: { detail: 'No company has the id TM-SHOP99.' } });
    TrackMate.track('one');
    await pass(1_000);
    TrackMate.track('two');
    await pass(1_000);
    expect(server.requests).toHaveLength(2);
    expect(warn).toHaveBeenCalledOnce();
    expect(warn.mock.calls[0]!.join(' ')).toContain('No company has the id TM-SHOP99.');
  });

  it('for another reason is told only with debug', async () => {
    server.answer = () => ({ status: 422, body: { detail: 'eventType is missing.' } });
    const quiet = await openTracked();
    quiet.TrackMate.track('one');
    await pass(1_000);
    expect(warn).not.toHaveBeenCalled();
    quiet.close();
    const { TrackMate } = await openTracked({ debug: true });
    TrackMate.track('one');
    await pass(1_000);
    expect(warn.mock.calls.flat().join(' ')).toContain('eventType is missing.');
  });
});

describe('a message that may still arrive', () => {
  it.each<Reply>([{ status: 408 }, { status: 425 }, { status: 429 }, { status: 500 }, { status: 502 }, { status: 503 }])(
    'after %o is kept, in its order, and sent again with the same eventId and a new sentAt',
    async (failure) => {
      const { TrackMate } = await openTracked();
      server.answer = () => failure;
      TrackMate.track('one');
      TrackMate.identify({ email: 'sarah@example.com' });
      await pass(0);
      expect(server.types).toEqual(['one']);
      server.answer = taken;
      await pass(2_000);
      expect(server.types).toEqual(['one', 'one', 'identify']);
      const [first, second] = server.requests.map(({ body }) => body);
      expect(second.events).toEqual(first.events);
      expect(first.sentAt).toBe(new Date(START).toISOString());
      expect(Date.parse(second.sentAt)).toBeGreaterThanOrEqual(START + 1_000);
      expect(stored('message:')).toEqual([]);
    },
  );

  it.each([
    ['at the earliest', 0, [1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 1_000]],
    ['at the latest', 1, [2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000]],
  ])('waits longer after each failure, up to five minutes, with full jitter: %s', async (_case, random, waits) => {
    vi.spyOn(Math, 'random').mockReturnValue(random);
    const { TrackMate } = await openTracked();
    server.answer = () => 'offline';
    TrackMate.track('one');
    await pass(1_000);
    for (const [index, wait] of waits.entries()) {
      await pass(wait - 1);
      expect(server.requests).toHaveLength(index + 1);
      await pass(1);
      expect(server.requests).toHaveLength(index + 2);
    }
  });

  it('waits from the beginning again once something has arrived', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(1);
    const { TrackMate } = await openTracked();
    server.answer = () => 'offline';
    TrackMate.track('one');
    await pass(1_000 + 2_000 + 4_000);
    server.answer = taken;
    await pass(8_000);
    expect(stored('message:')).toEqual([]);
    server.answer = () => 'offline';
    TrackMate.track('two');
    await pass(1_000);
    const before = server.requests.length;
    await pass(2_000);
    expect(server.requests).toHaveLength(before + 1);
  });

  it('is not sent earlier because the page tracks more', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(1);
    const { TrackMate } = await openTracked();
    server.answer = () => ({ status: 503 });
    TrackMate.track('one');
    await pass(1_000 + 2_000 + 4_000);
    expect(server.requests).toHaveLength(3);
    TrackMate.track('two');
    TrackMate.identify({ email: 'sarah@example.com' });
    await pass(7_999);
    expect(server.requests).toHaveLength(3);
    await pass(1);
    expect(server.requests).toHaveLength(4);
  });

  it.each([
    ['a number of seconds', '120'],
    ['a date', new Date(START + 1_000 + 120_000).toUTCString()],
  ])('waits as long as Retry-After says: %s', async (_form, header) => {
    const { TrackMate } = await openTracked();
    server.answer = () => ({ status: 429, headers: { 'Retry-After': header } });
    TrackMate.track('one');
    await pass(1_000);
    server.answer = taken;
    window.dispatchEvent(new Event('online'));
    await pass(119_999);
    expect(server.requests).toHaveLength(1);
    await pass(1);
    expect(server.requests).toHaveLength(2);
  });

  it('survives a Retry-After that makes no sense', async () => {
    const { TrackMate } = await openTracked();
    server.answer = () => ({ status: 503, headers: { 'Retry-After': 'soon' } });
    TrackMate.track('one');
    await pass(1_000);
    server.answer = () => ({ status: 503, headers: { 'Retry-After': '99999999999' } });
    await pass(2_000);
    expect(server.requests).toHaveLength(2);
    await pass(86_000_000);
    expect(server.requests).toHaveLength(2);
    server.answer = taken;
    await pass(400_000);
    expect(server.requests).toHaveLength(3);
  });

  it('is sent at once when the browser is online again', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(1);
    const { TrackMate } = await openTracked();
    server.answer = () => 'offline';
    TrackMate.track('one');
    await pass(1_000 + 2_000 + 4_000 + 8_000 + 1);
    expect(server.requests).toHaveLength(4);
    server.answer = taken;
    window.dispatchEvent(new Event('online'));
    await pass(0);
    expect(server.requests).toHaveLength(5);
    expect(stored('message:')).toEqual([]);
  });

  it('is not waited for longer than 30 seconds', async () => {
    const { TrackMate } = await openTracked();
    server.answer = () => new Promise(() => {});
    TrackMate.track('one');
    await pass(1_000 + 29_999);
    server.answer = taken;
    await pass(1);
    expect(server.requests).toHaveLength(1);
    await pass(2_000);
    expect(server.requests).toHaveLength(2);
  });
});

describe('the queue', () => {
  it('is sent one request at a time, whatever is tracked meanwhile', async () => {
    const { TrackMate } = await openTracked();
    let open = (): void => {};
    server.answer = (sent) => new Promise((resolve) => (open = () => resolve(taken(sent))));
    TrackMate.track('one');
    await pass(1_000);
    TrackMate.track('two');
    TrackMate.identify({ email: 'sarah@example.com' });
    await pass(5_000);
    window.dispatchEvent(new Event('online'));
    await pass(5_000);
    expect(server.types).toEqual(['one']);
    server.answer = taken;
    open();
    await pass(0);
    expect(server.types).toEqual(['one', 'two', 'identify']);
  });

  it('survives a reload, order and all, and is sent though the next page tracks nothing', async () => {
    const first = await openTracked();
    server.answer = () => 'offline';
    first.TrackMate.track('one');
    first.TrackMate.identify({ email: 'sarah@example.com' });
    first.TrackMate.track('two');
    await pass(5_000);
    first.close();
    const before = server.types.length;
    const requests = server.requests.length;
    const ids = server.requests[0]!.body.events.map((event: any) => event.eventId);

    server.answer = taken;
    await openTracked();
    expect(server.requests).toHaveLength(requests);
    await pass(1_000);
    expect(server.types.slice(before)).toEqual(['one', 'identify', 'two']);
    expect(server.requests[requests]!.body.events.map((event: any) => event.eventId)).toEqual(ids);
    expect(stored('message:')).toEqual([]);
  });

  it('drops its oldest events when there are too many, and an awaited identify last', async () => {
    const { TrackMate } = await openTracked();
    server.answer = () => 'offline';
    const answer = TrackMate.identify({ email: 'sarah@example.com' });
    for (let i = 0; i < 1_001; i++) TrackMate.track('click', { i });
    expect(stored('message:')).toHaveLength(1_001);
    server.answer = taken;
    await pass(10_000);
    expect(await answer).toEqual({ profileId: '671234567890abcdef123456' });
    expect(server.events.map((event) => event.eventData.i)).toEqual(Array.from({ length: 1_000 }, (_, i) => i + 1));
  });

  it('drops its oldest events when it takes too much room', async () => {
    const { TrackMate } = await openTracked();
    server.answer = () => 'offline';
    for (let i = 0; i < 30; i++) TrackMate.track('big', { i, text: 'x'.repeat(30_000) });
    const characters = [...storage.values.values()].reduce((sum, value) => sum + value.length, 0);
    expect(characters).toBeLessThan(501_000);
    server.answer = taken;
    await pass(10_000);
    expect(server.events.map((event) => event.eventData.i)).toEqual(Array.from({ length: 16 }, (_, i) => i + 14));
  });

  it('passes over a message that is damaged in the storage', async () => {
    storage.setItem(PREFIX + 'message:0190', '{"event":');
    storage.setItem(PREFIX + 'message:0191', '7');
    const { TrackMate } = await openTracked();
    TrackMate.track('one');
    await pass(1_000);
    expect(server.types).toEqual(['one']);
    expect(stored('message:')).toEqual([]);
  });

  it('is not sent in an endless loop by a browser that lets go of nothing', async () => {
    storage.removeItem = () => {};
    const { TrackMate } = await openTracked();
    TrackMate.track('one');
    await pass(60_000);
    expect(server.requests).toHaveLength(1);
  });
});
