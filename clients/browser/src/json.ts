import { hex } from './ids.js';
import { emptyRecord, note } from './safely.js';

/** The limit of one event in the contract. */
export const MOST_BYTES = 32 * 1024;

/**
 * Converts any value of a page to JSON. This is not `JSON.stringify`, since some pages replace it, and some older
 * libraries add a `toJSON` to arrays, dates and strings that changes their values (Prototype.js).
 *
 * Cycles, functions, symbols, undefined, and members that throw when read are left out. A BigInt becomes a string, a Map
 * an object, a Set an array. Half a surrogate pair (an emoji cut in two) and U+0000 become U+FFFD, in keys too, since the
 * server rejects a body with them. A key that would then be a duplicate gets `_` at its end.
 *
 * @throws RangeError if the result exceeds `most` bytes, the limit of an event, such as a DOM tree passed by mistake.
 */
export function toJson(value: unknown, most = MOST_BYTES): string {
  const ancestors: unknown[] = [];
  let room = most;

  const take = (characters: number): void => {
    room -= characters;
    if (room < 0) throw new RangeError('larger than 32 KiB');
  };

  /** The JSON of a member; undefined if JSON cannot represent it. */
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
      // NaN and the infinities are not JSON: their difference to themselves is NaN, not 0.
      if (/^(Number|Boolean|Null)$/.test(kind)) return value - value === 0 ? text + value : 'null';
      if (typeof value !== 'object' || ancestors.indexOf(value) >= 0) return undefined;

      const array = kind === 'Array';
      let plain = value;
      if (kind === 'Date') plain = value - value === 0 ? value.toISOString() : null;
      else if (kind === 'Map') plain = Object.fromEntries(value);
      else if (kind === 'Set') plain = [...value];
      // Only its own `toJSON`, not one that a library added to all arrays or objects.
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

/** The length in bytes as UTF-8. */
export function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** A string as JSON. */
export function quote(text: string): string {
  const escaped = fixed(text).replace(/["\\]/g, '\\$&').replace(/\n/g, '\\n');
  return `"${escaped.replace(/[\x01-\x1f]/g, (unit) => '\\u' + hex(unit.charCodeAt(0), 4))}"`;
}

function fixed(text: string): string {
  return text.replace(/[\p{Cs}\0]/gu, '\ufffd');
}
