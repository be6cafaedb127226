import { hex } from './ids.js';
import { emptyRecord, note } from './safely.js';

/** The contract's limit of one event. */
export const MOST_BYTES = 32 * 1024;

/**
 * JSON of whatever a page passes. It is written here because pages replace `JSON.stringify`, and older libraries give
 * arrays, dates and texts a `toJSON` that makes another value of them (Prototype.js).
 *
 * Cycles, functions, symbols, undefined and what throws when it is read are left out. A BigInt becomes a string, a Map
 * an object, a Set an array. Half a surrogate pair (an emoji cut in two) and U+0000 become U+FFFD, in keys too, for the
 * server rejects a body that has them; a key that would then be there twice ends with `_`.
 *
 * @throws RangeError when it is more than `most` bytes, what an event can hold: a DOM tree or a store, passed by mistake.
 */
export function toJson(value: unknown, most = MOST_BYTES): string {
  const ancestors: unknown[] = [];
  let room = most;

  const take = (characters: number): void => {
    room -= characters;
    if (room < 0) throw new RangeError('larger than 32 KiB');
  };

  /** The JSON of a member, or undefined for what JSON cannot hold. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  function write(holder: any, key: string | number, level = 0): string | undefined {
    try {
      take(1);
      ancestors.length = level;
      const value = holder[key];
      const kind = {}.toString.call(value).slice(8, -1);
      let text = '';
      if (kind === 'String' || kind === 'BigInt') {
        text += value;
        take(text.length);
        return quote(text);
      }
      // The difference of what is no number is none.
      if (/^(Number|Boolean|Null)$/.test(kind)) return value - value === 0 ? text + value : 'null';
      if (typeof value !== 'object' || ancestors.indexOf(value) >= 0) return undefined;

      const array = kind === 'Array';
      let plain = value;
      if (kind === 'Date') plain = value - value === 0 ? value.toISOString() : null;
      else if (kind === 'Map') plain = Object.fromEntries(value);
      else if (kind === 'Set') plain = [...value];
      // Its own, not one that a library gave to all arrays or objects.
      else if (!array && typeof value.toJSON === 'function' && value.toJSON !== ({} as typeof value).toJSON) plain = value.toJSON('');
      if (plain !== value) return write([plain], 0, level);

      ancestors.push(value);
      if (array) {
        for (let i = 0; i < value.length; i++) text += ',' + (write(value, i, level + 1) ?? 'null');
        return `[${text.slice(1)}]`;
      }
      const names = emptyRecord<boolean>();
      for (const key of Object.keys(value)) {
        const member = write(value, key, level + 1);
        if (member === undefined) continue;
        let name = fixed(key);
        while (names[name]) name += '_';
        names[name] = true;
        take(name.length);
        text += `,${quote(name)}:${member}`;
      }
      return `{${text.slice(1)}}`;
    } catch (error) {
      if (room < 0) throw error;
      note(error);
      return undefined;
    }
  }

  const text = write([value], 0)!;
  room = most;
  take(bytesOf(text));
  return text;
}

/** The length in bytes as it will travel. */
export function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** A text as JSON. */
export function quote(text: string): string {
  const escaped = fixed(text).replace(/["\\]/g, '\\$&').replace(/\n/g, '\\n');
  return `"${escaped.replace(/[\x01-\x1f]/g, (unit) => '\\u' + hex(unit.charCodeAt(0), 4))}"`;
}

function fixed(text: string): string {
  return text.replace(/[\p{Cs}\0]/gu, '\ufffd');
}
