import { describe, expect, it } from 'vitest';
import { COMPANY, API, openPage, openTracked, pass, server, stored, taken } from './browser.js';

const body = (): any => server.requests.at(-1)!.body;

describe('the promise of an identify', () => {
  it.each([
    ['5 seconds', undefined, 5_000],
    ['what the page asks for', 800, 800],
  ])('waits %s, then resolves with null, and the message stays queued', async (_what, identifyTimeout, limit) => {
    server.answer = () => 'offline';
    const { TrackMate } = await openTracked(identifyTimeout ? { identifyTimeout } : {});
    let answer: unknown;
    TrackMate.identify({ email: 'sarah@example.com' }).then((it) => (answer = it));
    await pass(limit - 1);
    expect(answer).toBeUndefined();
    await pass(1);
    expect(answer).toEqual({ profileId: null });
    expect(stored('message:')).toHaveLength(1);
    server.answer = taken;
    await pass(300_000);
    expect(body()).toMatchObject({ email: 'sarah@example.com' });
    expect(stored('message:')).toEqual([]);
  });

  it.each([0, Infinity])('has no limit with %d', async (identifyTimeout) => {
    server.answer = () => 'offline';
    const { TrackMate } = await openTracked({ identifyTimeout });
    let answer: unknown;
    TrackMate.identify({ email: 'sarah@example.com' }).then((it) => (answer = it));
    await pass(3_600_000);
    expect(answer).toBeUndefined();
  });

  it('resolves also when init never comes, and what was said is kept for it', async () => {
    const { TrackMate } = await openPage();
    let answer: unknown;
    TrackMate.identify({ email: 'sarah@example.com' }).then((it) => (answer = it));
    await pass(5_000);
    expect(answer).toEqual({ profileId: null });
    TrackMate.init(COMPANY, API);
    await pass(0);
    expect(body()).toMatchObject({ email: 'sarah@example.com' });
  });
});

describe('an identify as Segment\'s users write it', () => {
  it.each<[unknown[], object]>([
    [['42', { email: 'sarah@example.com', plan: 'gold' }], { externalId: '42', email: 'sarah@example.com', traits: { plan: 'gold' } }],
    [[42], { externalId: '42' }],
    [['42', null], { externalId: '42' }],
    [[42n, { name: 'Sarah' }], { externalId: '42', name: 'Sarah' }],
    [['sarah@example.com'], { email: 'sarah@example.com' }],
    [['sarah@example.com', { email: 'sarah@example.com' }], { email: 'sarah@example.com' }],
    [['sarah@example.com', { email: 'other@example.com' }], { externalId: 'sarah@example.com', email: 'other@example.com' }],
    [['42', { externalId: '43' }], { externalId: '42' }],
    [[null, { email: 'sarah@example.com' }], { email: 'sarah@example.com' }],
    [['42', { email: 'sarah@example.com' }, { token: 'signed' }], { externalId: '42', token: 'signed' }],
    [[{ externalId: 7 }, { token: 'signed' }], { externalId: '7', token: 'signed' }],
  ])('%o', async (args, sent) => {
    const { TrackMate } = await openTracked();
    (TrackMate.identify as (...args: unknown[]) => unknown)(...args);
    await pass(0);
    expect(body()).toMatchObject(sent);
    expect(Object.keys(body()).filter((name) => ['email', 'externalId', 'name', 'traits', 'token'].includes(name)).sort()).toEqual(
      expect.arrayContaining(Object.keys(sent).sort()),
    );
    if (!('traits' in sent)) expect(body().traits).toBeUndefined();
  });

  it.each([[[]], [[null]], [[undefined, undefined]]])('of nobody sends nothing: %o', async (args) => {
    const { TrackMate } = await openTracked();
    expect(await (TrackMate.identify as (...args: unknown[]) => Promise<unknown>)(...args)).toEqual({ profileId: null });
    await pass(1_000);
    expect(server.requests).toEqual([]);
  });

  it('of an object whose address is a getter of its class', async () => {
    class User {
      plan = 'gold';
      get email(): string { return 'sarah@example.com'; }
    }
    const { TrackMate } = await openTracked();
    TrackMate.identify(new User() as never);
    await pass(0);
    expect(body()).toMatchObject({ email: 'sarah@example.com', traits: { plan: 'gold' } });
  });

  it('loses no more than the member that throws', async () => {
    const { TrackMate } = await openTracked();
    TrackMate.identify({ email: 'sarah@example.com', plan: 'gold', get boom() { throw new Error('mine'); } });
    await pass(0);
    expect(body()).toMatchObject({ email: 'sarah@example.com', traits: { plan: 'gold' } });
  });
});
