import { describe, expect, it, vi } from 'vitest';
import { openPage, openTracked, pass, PREFIX, server, session, START, storage, stored, COMPANY, API } from './browser.js';

const DAY = 86_400_000;

describe('a session', () => {
  it('is named session_<unix seconds>_<128 random bits>', async () => {
    const { TrackMate } = await openTracked();
    expect(TrackMate.getSessionId()).toMatch(/^session_1760781600_[0-9a-f]{32}$/);
    expect(START / 1000).toBe(1760781600);
  });

  it('takes its randomness from the cryptographic source', async () => {
    const random = vi.spyOn(crypto, 'getRandomValues').mockImplementation((array) => {
      (array as Uint8Array).fill(0xab);
      return array;
    });
    const { TrackMate } = await openTracked();
    expect(TrackMate.getSessionId()).toBe('session_1760781600_' + 'ab'.repeat(16));
    random.mockRestore();
  });

  it('survives a reload', async () => {
    const first = await openTracked();
    const id = first.TrackMate.getSessionId();
    first.close();
    const second = await openTracked();
    expect(second.TrackMate.getSessionId()).toBe(id);
  });

  it('is the same in all tabs, also after one of them has begun another', async () => {
    const one = await openTracked();
    const two = await openTracked();
    expect(two.TrackMate.getSessionId()).toBe(one.TrackMate.getSessionId());
    one.TrackMate.reset();
    expect(two.TrackMate.getSessionId()).toBe(one.TrackMate.getSessionId());
  });

  it('ends at reset, and what was tracked before stays in the old one', async () => {
    const { TrackMate } = await openTracked();
    const before = TrackMate.getSessionId();
    TrackMate.track('before');
    TrackMate.reset();
    TrackMate.track('after');
    const after = TrackMate.getSessionId();
    await pass(1_000);
    expect(after).not.toBe(before);
    expect(server.requests.map(({ body }) => [body.sessionId, body.events[0].eventType])).toEqual([
      [before, 'before'],
      [after, 'after'],
    ]);
  });

  it('ends at its greatest age, 13 months unless told otherwise', async () => {
    const { TrackMate } = await openTracked();
    const id = TrackMate.getSessionId();
    vi.setSystemTime(START + 394 * DAY);
    expect(TrackMate.getSessionId()).toBe(id);
    vi.setSystemTime(START + 395 * DAY);
    expect(TrackMate.getSessionId()).not.toBe(id);
  });

  it('ends at the age that the page asks for', async () => {
    const { TrackMate } = await openTracked({ sessionMaxAgeDays: 7 });
    const id = TrackMate.getSessionId();
    vi.setSystemTime(START + 7 * DAY - 1);
    expect(TrackMate.getSessionId()).toBe(id);
    vi.setSystemTime(START + 7 * DAY);
    expect(TrackMate.getSessionId()).not.toBe(id);
  });

  it('of another company on the same site is another one', async () => {
    const one = await openTracked();
    const two = await openPage();
    two.TrackMate.init('TM-OTHER', API);
    expect(two.TrackMate.getSessionId()).not.toBe(one.TrackMate.getSessionId());
  });

  it('that is damaged in the storage is replaced', async () => {
    storage.setItem(PREFIX + 'session', '{"id":');
    const { TrackMate } = await openTracked();
    expect(TrackMate.getSessionId()).toMatch(/^session_/);
  });
});

describe('a session and the person', () => {
  it('the first identify keeps the session, and the same e-mail in another spelling does too', async () => {
    const { TrackMate } = await openTracked();
    const id = TrackMate.getSessionId();
    TrackMate.identify({ email: 'sarah@example.com' });
    TrackMate.identify({ email: ' Sarah@Example.COM ' });
    TrackMate.identify({ name: 'Sarah' });
    TrackMate.identify({ email: 'undefined' });
    expect(TrackMate.getSessionId()).toBe(id);
  });

  it('an identify with another e-mail opens a new session, which it is sent in', async () => {
    const { TrackMate } = await openTracked();
    const sarahs = TrackMate.getSessionId();
    TrackMate.identify({ email: 'sarah@example.com' });
    TrackMate.track('sarahs');
    TrackMate.identify({ email: 'tom@example.com' });
    TrackMate.track('toms');
    const toms = TrackMate.getSessionId();
    expect(toms).not.toBe(sarahs);
    await pass(1_000);
    expect(server.requests.map(({ body }) => body.sessionId)).toEqual([sarahs, sarahs, toms, toms]);
  });

  it('another e-mail is noticed after a reload too', async () => {
    const first = await openTracked();
    const id = first.TrackMate.getSessionId();
    first.TrackMate.identify({ email: 'sarah@example.com' });
    first.close();
    const second = await openTracked();
    second.TrackMate.identify({ email: 'sarah@example.com' });
    expect(second.TrackMate.getSessionId()).toBe(id);
    second.TrackMate.identify({ email: 'tom@example.com' });
    expect(second.TrackMate.getSessionId()).not.toBe(id);
  });

  it('only the id, its time and the address are stored, and the address goes at reset', async () => {
    const { TrackMate } = await openTracked();
    TrackMate.identify({ email: 'Sarah@example.com', name: 'Sarah', plan: 'gold' });
    await pass(1_000);
    expect(stored()).toEqual(['session']);
    expect(session()).toEqual({ id: TrackMate.getSessionId(), since: START, email: 'sarah@example.com' });
    TrackMate.reset();
    expect(stored()).toEqual([]);
  });
});

describe('a browser without storage', () => {
  it.each([
    ['that throws', () => vi.stubGlobal('localStorage', new Proxy({}, { get() { throw new DOMException('no', 'SecurityError'); } }))],
    ['that is null', () => vi.stubGlobal('localStorage', null)],
    ['that is full', () => void (storage.quota = 0)],
  ])('%s keeps everything in memory, and works', async (_how, block) => {
    block();
    const { TrackMate } = await openTracked();
    const id = TrackMate.getSessionId();
    TrackMate.track('click');
    const identified = TrackMate.identify({ email: 'sarah@example.com' });
    await pass(1_000);
    expect(server.types).toEqual(['click', 'identify']);
    expect(server.requests[0]!.body.sessionId).toBe(id);
    expect(await identified).toEqual({ profileId: '671234567890abcdef123456' });
    expect(TrackMate.getSessionId()).toBe(id);
    expect(storage.length).toBe(0);
  });

  it('by option leaves nothing in it', async () => {
    const { TrackMate } = await openTracked({ storage: 'memory' });
    TrackMate.track('click');
    expect(storage.length).toBe(0);
    const id = TrackMate.getSessionId();
    expect(TrackMate.getSessionId()).toBe(id);
    await pass(1_000);
    expect(server.types).toEqual(['click']);
  });

  it('that gets full does not bring an older session back after a reload', async () => {
    const first = await openTracked();
    const old = first.TrackMate.getSessionId();
    first.TrackMate.identify({ email: 'sarah@example.com' });
    await pass(1_000);
    storage.quota = 0;
    first.TrackMate.identify({ email: 'tom@example.com' });
    const toms = first.TrackMate.getSessionId();
    expect(toms).not.toBe(old);
    first.close();
    const second = await openPage();
    second.TrackMate.init(COMPANY, API);
    expect(second.TrackMate.getSessionId()).not.toBe(old);
  });
});
