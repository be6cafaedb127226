import { readFileSync } from 'node:fs';
import { createContext, runInContext } from 'node:vm';
import { describe, expect, it } from 'vitest';

const script = readFileSync('dist/trackmate.js', 'utf8');

/** What old libraries do to the browser, in short. */
const quoted = 'function () { return \'"\' + String(this) + \'"\'; }';
const PROTOTYPE_JS = `
  Array.prototype.toJSON = function () { return '[]'; };
  String.prototype.toJSON = Number.prototype.toJSON = Date.prototype.toJSON = ${quoted};
  Array.prototype.reduce = function () { return this.length > 1 ? this : this[0]; };
  Array.prototype.reverse = (function (own) { return function (inline) { return own.call(inline === false ? this.slice() : this); }; })(Array.prototype.reverse);
  Array.from = function (list) { return list ? [].slice.call(list) : []; };
  Object.keys = function (object) { var keys = []; for (var key in object) keys.push(key); return keys; };
  ['each', 'include', 'invoke', 'toArray', 'inspect'].forEach(function (name) { Array.prototype[name] = function () {}; });
  String.prototype.startsWith = function (start) { return this.indexOf(start) === 0; };
`;
const MOOTOOLS = `
  JSON = { encode: function () { return '{}'; }, decode: function () { return {}; } };
  Array.from = function (item) { return [item]; };
  Function.prototype.bind = function () { throw new Error('another one'); };
  Function.prototype.attempt = Array.prototype.link = Array.prototype.contains = function () {};
  Request = function () {};
`;

/** A page of its own, whose built-ins are nobody else's. */
function open() {
  const requests: { url: string; body: any }[] = [];
  const kept = new Map<string, string>();
  const answer = (url: string, body: string) => {
    requests.push({ url, body: JSON.parse(body) });
    return url.endsWith('profile') ? '{"profileId":"671234567890abcdef123456"}' : '{"accepted":1,"duplicates":0}';
  };
  const page: Record<string, unknown> = createContext({
    setTimeout, clearTimeout, URLSearchParams, TextEncoder, crypto: globalThis.crypto,
    location: { href: 'https://shop.example/?utm_source=ad', search: '?utm_source=ad' },
    document: { title: 'Homepage', referrer: '', visibilityState: 'visible', addEventListener() {} },
    navigator: { language: 'en' },
    screen: { width: 1024, height: 768 },
    history: {},
    addEventListener() {},
    localStorage: new Proxy({}, {
      get: (_target, name) => ({ getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value), removeItem: (key: string) => void kept.delete(key) })[name as string],
      ownKeys: () => [...kept.keys()],
      getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
    }),
    answer,
  });
  page.window = page;
  const run = (code: string): any => runInContext(code, page);
  // Of the page's own realm, as a browser's is.
  run(`
    fetch = (function (answer, Response) {
      return async function (url, init) { return new Response(answer(url, init.body)); };
    })(answer, function Response(body) { this.status = 200; this.headers = { get() { return null; } }; this.text = async function () { return body; }; });
  `);
  return { run, requests, kept };
}

describe('a page that has changed what the browser has built in', () => {
  it.each([
    ['nothing', ''],
    ['Array.prototype.toJSON', "Array.prototype.toJSON = function () { return '[]' }"],
    ['Object.prototype.toJSON', "Object.prototype.toJSON = function () { return '{}' }"],
    ['String.prototype.toJSON', "String.prototype.toJSON = function () { return '' }"],
    ['no Date.prototype.toJSON', 'delete Date.prototype.toJSON'],
    ['Date.prototype.toJSON', `Date.prototype.toJSON = ${quoted}`],
    ['JSON.stringify', "JSON.stringify = function () { return '{}' }"],
    ['JSON.stringify that throws', "JSON.stringify = function () { throw new Error('mine') }"],
    ['JSON.parse', 'JSON.parse = function () { return null }'],
    ['JSON', 'JSON = undefined'],
    ['Promise', 'Promise = function () { throw new Error("mine") }'],
    ['Promise that never calls', 'Promise = function () { this.then = function () {} }'],
    ['Map, Set, WeakMap', 'Map = Set = WeakMap = function () { return { get() { return 7 }, has() { return true }, set() {}, add() {} } }'],
    ['Symbol', 'Symbol = undefined'],
    ['Array.from', 'Array.from = function () { return [] }'],
    ['Array.isArray', 'Array.isArray = function () { return false }'],
    ['Array.prototype.reduce', 'Array.prototype.reduce = function () {}'],
    ['Array.prototype.find, findIndex, includes, some, every, flat', "['find', 'findIndex', 'includes', 'some', 'every', 'flat', 'flatMap', 'keys', 'entries', 'at'].forEach(function (name) { Array.prototype[name] = function () {} })"],
    ['Object.entries, fromEntries, values, assign', "['entries', 'fromEntries', 'values'].forEach(function (name) { Object[name] = function () { return {} } })"],
    ['String.prototype.padStart, includes, trim', "['padStart', 'includes', 'trim', 'repeat', 'matchAll'].forEach(function (name) { String.prototype[name] = function () { return '' } })"],
    ['Function.prototype.bind', 'Function.prototype.bind = function () {}'],
    ['enumerable members of all objects', 'Object.prototype.extend = function () {}; Object.prototype.identity = { a: 1 }; Array.prototype.each = function () {}; Object.prototype.email = "x@y.z"'],
    ['AbortController, AbortSignal', 'AbortController = AbortSignal = function () { throw new Error("mine") }'],
    ['Prototype.js', PROTOTYPE_JS],
    ['MooTools', MOOTOOLS],
    ['both', PROTOTYPE_JS + MOOTOOLS],
  ])('is tracked all the same: %s', async (_what, code) => {
    const { run, requests, kept } = open();
    run(code);
    run(script);
    run(`
      TrackMate.init('TM-SHOP99', 'https://track.example', { flushInterval: 0 });
      TrackMate.trackPageView();
      TrackMate.track('add_to_cart', { at: new Date(0), list: [1, { price: 79.99 }], text: 'say "hi"\\n\\\\', none: null, yes: true });
      TrackMate.identify({ email: 'sarah@example.com', tags: ['a', 'b'] }).then(function (answer) { profileId = answer.profileId });
    `);
    const session = run('TrackMate.getSessionId()');
    expect(run('TrackMate.getSessionId()')).toBe(session);
    await expect.poll(() => requests.length, { timeout: 5_000, interval: 5 }).toBe(2);
    await expect.poll(() => run('typeof profileId === "string" && profileId'), { timeout: 5_000, interval: 5 }).toBe('671234567890abcdef123456');

    const [events, identify] = requests as [any, any];
    expect(events.body).toMatchObject({ company_id: 'TM-SHOP99', sessionId: session, context: { page: { address: 'https://shop.example/?utm_source=ad', title: 'Homepage' }, utm: { source: 'ad' }, screen: { width: 1024, height: 768 } } });
    expect(events.body.events.map((event: any) => event.eventType)).toEqual(['page_view', 'add_to_cart']);
    expect(events.body.events[1].eventData).toEqual({ at: '1970-01-01T00:00:00.000Z', list: [1, { price: 79.99 }], text: 'say "hi"\n\\', none: null, yes: true });
    expect(identify.body).toMatchObject({ email: 'sarah@example.com', sessionId: session, traits: { tags: ['a', 'b'] } });
    expect(Object.keys(events.body.events[0]).sort()).toEqual(['eventData', 'eventId', 'eventType', 'timestamp']);
    await expect.poll(() => [...kept.keys()], { timeout: 5_000, interval: 5 }).toEqual(['trackmate:TM-SHOP99:session']);
  });
});
