/** More values than this do not fit into the 32 KiB that an event may have: a DOM tree or a store, passed by mistake. */
const MOST_VALUES = 16_384;

/**
 * JSON of whatever a page passes. Cycles, functions, symbols and undefined are left out, a BigInt becomes a string.
 * Half a surrogate pair (an emoji cut in two) and U+0000 become U+FFFD, for the server refuses a body that has them.
 *
 * @throws when a getter or `toJSON` of the page throws, or when there are more values than an event can hold.
 */
export function toJson(value: unknown): string {
  const ancestors: unknown[] = [];
  let values = 0;
  return JSON.stringify(value, function (this: unknown, _key, member: unknown) {
    if (++values > MOST_VALUES) throw new RangeError('too many values for an event');
    if (typeof member === 'bigint') return String(member);
    if (typeof member === 'string') return member.replace(/[\p{Cs}\0]/gu, '\ufffd');
    if (typeof member !== 'object' || !member) return member;
    // `this` is the object that holds the member: what was entered after it has been left again.
    while (ancestors.length && ancestors[ancestors.length - 1] !== this) ancestors.pop();
    if (ancestors.includes(member)) return undefined;
    ancestors.push(member);
    return member;
  });
}

/** The length in bytes as it will travel. */
export function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}
