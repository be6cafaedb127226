import { describe, expect, it } from 'vitest';
import { define, FakeLocks, openTracked, pass, PREFIX, server, show, START, storage, stored, taken } from './browser.js';

describe.each([
  ['with navigator.locks', () => new FakeLocks()],
  ['without navigator.locks', () => undefined],
])('two tabs %s', (_browser, locks) => {
  it('lose nothing, whoever sends', async () => {
    define(navigator, 'locks', locks());
    const one = await openTracked();
    const two = await openTracked();
    server.answer = () => 'offline';
    for (let i = 0; i < 20; i++) (i % 3 ? one : two).TrackMate.track('click', { i });
    await pass(20_000);
    server.answer = taken;
    server.requests.length = 0;
    await pass(300_000);
    expect(new Set(server.events.map((event) => event.eventData.i)).size).toBe(20);
    expect(stored('message:')).toEqual([]);
  });

  it('one closed, the other sends what it left', async () => {
    define(navigator, 'locks', locks());
    server.answer = () => 'offline';
    const one = await openTracked();
    one.TrackMate.track('left');
    one.close();
    await pass(1);
    const two = await openTracked();
    server.answer = taken;
    two.TrackMate.track('later');
    await pass(1_000);
    expect(server.types).toEqual(['left', 'later']);
  });

  it.each([
    ['when it is seen again', () => show('visible')],
    ['when the browser is online again', () => window.dispatchEvent(new Event('online'))],
  ])('one closed, the other sends what it left though it tracks nothing itself: %s', async (_when, happens) => {
    define(navigator, 'locks', locks());
    await openTracked();
    await pass(5_000);
    storage.values.set(PREFIX + 'message:0190', JSON.stringify({ event: { eventType: 'left' }, sessionId: 's', context: {} }));
    await pass(60_000);
    expect(server.requests).toEqual([]);
    happens();
    await pass(1_000);
    expect(server.types).toEqual(['left']);
  });

  it('an identify resolves in its own tab, though another delivered it', async () => {
    define(navigator, 'locks', locks());
    storage.tells = true;
    const one = await openTracked();
    const two = await openTracked();
    server.answer = (sent) => (sent.url.endsWith('profile') && server.requests.length < 2 ? 'offline' : taken(sent));
    const answer = one.TrackMate.identify({ email: 'sarah@example.com' });
    await pass(0);
    expect(server.types).toEqual(['identify']);
    two.TrackMate.track('click');
    two.TrackMate.identify({ email: 'sarah@example.com' });
    await pass(10);
    expect(server.requests.length).toBeGreaterThan(1);
    expect(await Promise.race([answer, pass(0).then(() => 'pending')])).toEqual({ profileId: '671234567890abcdef123456' });
  });

  it('an identify resolves to null in a page that was frozen while another tab delivered it', async () => {
    define(navigator, 'locks', locks());
    const one = await openTracked();
    const two = await openTracked();
    server.answer = () => 'offline';
    const answer = one.TrackMate.identify({ email: 'sarah@example.com' });
    await pass(0);
    server.answer = taken;
    storage.values.forEach((_value, key) => key.includes(':message:') && storage.values.delete(key));
    two.TrackMate.track('click');
    window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }));
    expect(await answer).toEqual({ profileId: null });
  });

  it('an identify resolves to null when the storage is cleared', async () => {
    define(navigator, 'locks', locks());
    const one = await openTracked();
    server.answer = () => 'offline';
    const answer = one.TrackMate.identify({ email: 'sarah@example.com' });
    await pass(0);
    storage.clear();
    window.dispatchEvent(new StorageEvent('storage', { key: null }));
    expect(await answer).toEqual({ profileId: null });
  });

  it('an identify resolves to null when another tab has opted out', async () => {
    define(navigator, 'locks', locks());
    storage.tells = true;
    const one = await openTracked();
    const two = await openTracked();
    server.answer = () => 'offline';
    const answer = one.TrackMate.identify({ email: 'sarah@example.com' });
    await pass(0);
    two.TrackMate.optOut();
    await pass(10);
    expect(await answer).toEqual({ profileId: null });
  });
});

describe('with navigator.locks', () => {
  it('one tab sends at a time, and the second finds the work done', async () => {
    define(navigator, 'locks', new FakeLocks());
    const one = await openTracked();
    const two = await openTracked();
    let open = (): void => {};
    server.answer = (sent) => new Promise((resolve) => (open = () => resolve(taken(sent))));
    one.TrackMate.track('one');
    await pass(1_000);
    two.TrackMate.track('two');
    await pass(3_000);
    expect(server.requests).toHaveLength(1);
    open();
    await pass(3_000);
    expect(server.types).toEqual(['one', 'two']);
  });

  it('a tab whose turn does not come in 10 seconds sends all the same', async () => {
    const locks = new FakeLocks();
    define(navigator, 'locks', locks);
    void locks.request('held', () => new Promise(() => {}));
    const { TrackMate } = await openTracked();
    TrackMate.track('one');
    await pass(1_000 + 9_999);
    expect(server.requests).toEqual([]);
    await pass(1);
    expect(server.types).toEqual(['one']);
    TrackMate.track('two');
    await pass(20_000);
    expect(server.types).toEqual(['one', 'two']);
  });
});

describe('tabs that open together on a first visit', () => {
  const theirs = 'session_1760781600_00000000000000000000000000000001';
  const store = (session: object | null): void => {
    if (session) storage.values.set(PREFIX + 'session', JSON.stringify(session));
    else storage.values.delete(PREFIX + 'session');
    window.dispatchEvent(new StorageEvent('storage', { key: PREFIX + 'session', newValue: session && JSON.stringify(session) }));
  };

  it('end up in one session, with what each has tracked before it knew', async () => {
    const { TrackMate } = await openTracked();
    TrackMate.track('first', { sessionId: TrackMate.getSessionId() });
    const ours = TrackMate.getSessionId();
    store({ id: theirs, since: START });
    expect(TrackMate.getSessionId()).toBe(theirs);
    await pass(1_000);
    expect(server.requests.map(({ body }) => body.sessionId)).toEqual([theirs]);
    expect(server.events[0].eventData).toEqual({ sessionId: ours });
  });

  it('move what they tracked in a session that they only read, when it turns out to be another tab’s second', async () => {
    storage.values.set(PREFIX + 'session', JSON.stringify({ id: 'session_1760781600_0000000000000000000000000000000f', since: START }));
    const { TrackMate } = await openTracked();
    TrackMate.track('read');
    store({ id: theirs, since: START });
    await pass(1_000);
    expect(server.requests.map(({ body }) => body.sessionId)).toEqual([theirs]);
  });

  it('leave in a session what belongs to it: somebody had identified in it', async () => {
    const { TrackMate } = await openTracked();
    void TrackMate.identify({ email: 'sarah@example.com' });
    const ours = TrackMate.getSessionId();
    store({ id: theirs, since: START });
    await pass(1_000);
    expect(server.requests.map(({ body }) => body.sessionId)).toEqual([ours]);
  });

  it('leave in a session what belongs to it: another person has identified in another tab', async () => {
    const { TrackMate } = await openTracked();
    TrackMate.track('ours');
    const ours = TrackMate.getSessionId();
    store({ id: theirs, since: START, email: 'ben@example.com', after: ours });
    TrackMate.track('theirs');
    await pass(1_000);
    expect(server.requests.map(({ body }) => body.sessionId)).toEqual([ours, theirs]);
  });

  it('leave in a session what belongs to it: another tab has signed out and gone on', async () => {
    const { TrackMate } = await openTracked();
    TrackMate.track('ours');
    const ours = TrackMate.getSessionId();
    store(null);
    store({ id: theirs, since: START });
    TrackMate.track('theirs');
    await pass(1_000);
    expect(server.requests.map(({ body }) => body.sessionId)).toEqual([ours, theirs]);
  });
});
