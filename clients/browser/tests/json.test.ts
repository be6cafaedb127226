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
