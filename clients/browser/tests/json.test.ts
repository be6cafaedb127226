import { describe, expect, it } from 'vitest';
import { bytesOf, toJson } from '../src/json.js';
import { newEventId } from '../src/ids.js';
import { vi } from 'vitest';

describe('what a page passes', () => {
  it('loses what JSON cannot hold and keeps the rest', () => {
    const data: any = { id: 12n, at: new Date(0), call: () => 1, none: undefined, list: [1, undefined], sign: Symbol('x'), ok: 'yes' };
    data.self = data;
    data.inner = { up: data, list: [data.list] };
    expect(JSON.parse(toJson(data))).toEqual({ id: '12', at: '1970-01-01T00:00:00.000Z', list: [1, null], ok: 'yes', inner: { list: [[1, null]] } });
  });

  it('keeps an object that is there twice, for that is no cycle', () => {
    const product = { id: 'PROD-001' };
    expect(JSON.parse(toJson({ a: product, b: [product, product], c: { product } }))).toEqual({
      a: product, b: [product, product], c: { product },
    });
  });

  it('replaces half an emoji and U+0000, which the server refuses, and nothing else', () => {
    expect(JSON.parse(toJson({ name: '\u{1F600}'.slice(0, 1), whole: '\u{1F600}é', zero: 'a\0b' }))).toEqual({
      name: '\ufffd', whole: '\u{1F600}é', zero: 'a\ufffdb',
    });
  });

  it('is fixed in its keys as in its values, and no two of them become one', () => {
    const half = '\ud83d';
    expect(JSON.parse(toJson({ [half]: 1, '\ufffd': 2, 'a\0': 3, deep: [{ ['x' + half]: { [half]: 4 } }] }))).toEqual({
      '\ufffd': 1, '\ufffd_': 2, 'a\ufffd': 3, deep: [{ 'x\ufffd': { '\ufffd': 4 } }],
    });
    // A server that refuses a key that is there twice would see it.
    expect(toJson({ [half]: 1, '\0': 2, '\ufffd_': 3 })).toBe('{"\ufffd":1,"\ufffd_":2,"\ufffd__":3}');
  });

  it('may hold a key with quotes, a line or __proto__', () => {
    const data = JSON.parse('{"__proto__":1,"a\\"b\\n\\\\":2,"":3}');
    expect(Object.entries(JSON.parse(toJson(data)))).toEqual(Object.entries(data));
  });

  it('loses only the member that throws', () => {
    const proxy = new Proxy({}, { ownKeys() { throw new Error('mine'); } });
    expect(
      JSON.parse(toJson({ a: 1, get b() { throw new Error('mine'); }, c: [{ get d() { throw new Error('mine'); } }, proxy, 2], e: { toJSON() { throw new Error('mine'); } }, f: 3 })),
    ).toEqual({ a: 1, c: [{}, null, 2], f: 3 });
  });

  it('keeps what is in a Map, a Set, a boxed value and an object with a toJSON of its own', () => {
    class Money {
      constructor(readonly cents: number) {}
      toJSON(): object { return { amount: this.cents / 100 }; }
    }
    const itself = { a: 1, toJSON(): object { return this; } };
    expect(
      JSON.parse(toJson({ map: new Map<unknown, unknown>([['a', 1], [2, new Set(['x', new Map()])]]), boxed: [Object('s'), Object(1), Object(false)], money: new Money(7999), url: new URL('https://a.b/c'), itself })),
    ).toEqual({ map: { a: 1, 2: ['x', {}] }, boxed: ['s', 1, false], money: { amount: 79.99 }, url: 'https://a.b/c', itself: { a: 1 } });
  });

  it('has null for what is no number and no date', () => {
    expect(JSON.parse(toJson({ list: [NaN, Infinity, -Infinity, new Date(NaN), -0], nan: NaN, date: new Date(NaN) }))).toEqual({
      list: [null, null, null, null, 0], nan: null, date: null,
    });
  });

  it('is what JSON.stringify makes of it', () => {
    const texts = ['', 'plain', '"\\/\b\f\n\r\t\u0001\u001f\u007f\u2028\u2029é€\u{1F600}', '</script>', "it's"];
    const value = { texts, numbers: [0, -1, 1.5, 1e21, 1e-7, Number.MAX_SAFE_INTEGER], nested: [[], {}, [[]], [{}], { a: { b: [null, true, false] } }] };
    expect(JSON.parse(toJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
  });

  it('of any depth and any number of keys takes neither the stack nor long', () => {
    let deep: object = {};
    for (let i = 0; i < 30_000; i++) deep = { deep };
    expect(() => toJson({ list: new Array(4_000_000_000) })).toThrow(RangeError);
    expect(() => toJson({ text: 'x'.repeat(50_000_000) })).toThrow(RangeError);
    expect(() => { try { toJson({ deep }); } catch (error) { if (!/32 KiB/.test(String(error))) throw error; } }).not.toThrow();
    const keys = Object.fromEntries(Array.from({ length: 300 }, (_, i) => ['k' + i, i]));
    expect(Object.keys(JSON.parse(toJson(keys)))).toHaveLength(300);
  });

  it('is given up when it has more values than an event can hold', () => {
    expect(() => toJson({ list: Array.from({ length: 20_000 }, () => 1) })).toThrow(RangeError);
  });

  it('is measured in bytes, not in characters', () => {
    expect(bytesOf('é€\u{1F600}')).toBe(2 + 3 + 4);
  });
});

describe('an eventId', () => {
  it('is a UUIDv7 of the present time', () => {
    vi.useFakeTimers({ now: 0x0123456789ab });
    expect(newEventId()).toMatch(/^01234567-89ab-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    vi.useRealTimers();
  });

  it('is greater than all before it, 10,000 in one millisecond and with the clock set back', () => {
    vi.useFakeTimers({ now: Date.parse('2040-01-01') });
    const ids = Array.from({ length: 10_000 }, newEventId);
    vi.setSystemTime(Date.parse('2039-01-01'));
    ids.push(newEventId(), newEventId());
    vi.useRealTimers();
    expect(ids).toEqual([...ids].sort());
    expect(new Set(ids).size).toBe(ids.length);
  });
});
