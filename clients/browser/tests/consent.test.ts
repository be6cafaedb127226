import { afterEach, describe, expect, it, vi } from 'vitest';
import { define, openTracked, pass, PREFIX, server, storage, stored, taken } from './browser.js';

afterEach(() => {
  define(navigator, 'doNotTrack', null);
  define(navigator, 'globalPrivacyControl', undefined);
});

describe('opting out', () => {
  it('forgets what was not sent and the session, and remembers only the choice', async () => {
    const { TrackMate } = await openTracked();
    TrackMate.track('one');
    const answer = TrackMate.identify({ email: 'sarah@example.com' });
    TrackMate.optOut();
    expect([...storage.values]).toEqual([[PREFIX + 'optout', '1']]);
    expect(await answer).toEqual({ profileId: null });
    await pass(60_000);
    expect(server.requests).toEqual([]);
  });

  it('stops everything, here and after a reload', async () => {
    const first = await openTracked();
    first.TrackMate.optOut();
    first.close();
    const { TrackMate } = await openTracked();
    TrackMate.trackPageView();
    TrackMate.track('one');
    history.pushState(null, '', '/next');
    expect(await TrackMate.identify({ email: 'sarah@example.com' })).toEqual({ profileId: null });
    expect(TrackMate.getSessionId()).toBeNull();
    TrackMate.reset();
    await pass(60_000);
    expect(server.requests).toEqual([]);
    expect(stored()).toEqual(['optout']);
  });

  it('is remembered also where all else is kept in memory', async () => {
    const { TrackMate } = await openTracked({ storage: 'memory' });
    TrackMate.track('one');
    TrackMate.optOut();
    expect(stored()).toEqual(['optout']);
  });

  it('in one tab stops the others, also between two attempts', async () => {
    const one = await openTracked();
    const two = await openTracked();
    server.answer = () => 'offline';
    one.TrackMate.track('one');
    await pass(1_000);
    two.TrackMate.optOut();
    const before = server.requests.length;
    one.TrackMate.track('two');
    await pass(600_000);
    expect(server.requests).toHaveLength(before);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([false, true])('in one tab stops what another keeps in memory; that tab hears of it: %s', async (hears) => {
    storage.tells = hears;
    const one = await openTracked({ storage: 'memory', spa: false });
    const id = one.TrackMate.getSessionId();
    const two = await openTracked();
    let open = (): void => {};
    server.answer = (sent) => new Promise((resolve) => (open = () => resolve(taken(sent))));
    one.TrackMate.track('one');
    history.pushState(null, '', '/next');
    one.TrackMate.track('two');
    await pass(1_000);
    two.TrackMate.optOut();
    await pass(10);
    open();
    await pass(60_000);
    expect(server.types).toEqual(['one']);
    expect(vi.getTimerCount()).toBe(0);
    if (!hears) return;
    two.TrackMate.optIn();
    one.TrackMate.track('three');
    await pass(1_000);
    expect(server.types).toEqual(['one', 'three']);
    expect(one.TrackMate.getSessionId()).not.toBe(id);
  });

  it('while a request is under way keeps nothing of it', async () => {
    const { TrackMate } = await openTracked({ spa: false });
    let open = (): void => {};
    server.answer = () => new Promise((resolve) => (open = () => resolve({ status: 503 })));
    TrackMate.track('one');
    history.pushState(null, '', '/next');
    TrackMate.track('two');
    await pass(1_000);
    TrackMate.optOut();
    open();
    await pass(600_000);
    expect(server.requests).toHaveLength(1);
    expect(stored()).toEqual(['optout']);
  });

  it('can be taken back: a new session begins, and what was forgotten stays so', async () => {
    const { TrackMate } = await openTracked();
    server.answer = () => 'offline';
    const before = TrackMate.getSessionId();
    TrackMate.track('one');
    await pass(1_000);
    TrackMate.optOut();
    await pass(600_000);
    TrackMate.optIn();
    server.requests.length = 0;
    TrackMate.track('two');
    await pass(1_000);
    expect(server.types).toEqual(['two']);
    expect(TrackMate.getSessionId()).not.toBe(before);
    expect(stored()).not.toContain('optout');
  });
});

describe('a browser that says no', () => {
  it.each([
    ['Do Not Track', 'doNotTrack', '1'],
    ['Global Privacy Control', 'globalPrivacyControl', true],
  ])('by %s is obeyed by option: nothing is sent and nothing is stored', async (_name, property, value) => {
    define(navigator, property, value);
    const { TrackMate } = await openTracked({ respectDoNotTrack: true });
    TrackMate.trackPageView();
    TrackMate.track('one');
    TrackMate.optIn();
    TrackMate.track('two');
    expect(TrackMate.getSessionId()).toBeNull();
    expect(await TrackMate.identify({ email: 'sarah@example.com' })).toEqual({ profileId: null });
    await pass(60_000);
    expect(server.requests).toEqual([]);
    expect(storage.length).toBe(0);
  });

  it('is tracked without the option, and with it when it does not say no', async () => {
    define(navigator, 'doNotTrack', '1');
    const one = await openTracked();
    one.TrackMate.track('one');
    await pass(1_000);
    one.close();
    define(navigator, 'doNotTrack', '0');
    const two = await openTracked({ respectDoNotTrack: true });
    two.TrackMate.track('two');
    await pass(1_000);
    expect(server.types).toEqual(['one', 'two']);
  });
});
