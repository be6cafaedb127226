/** `bytes` random bytes as hex, from the browser's cryptographic source. */
export function randomHex(bytes: number): string {
  let text = '';
  for (const byte of crypto.getRandomValues(new Uint8Array(bytes))) text += hex(byte, 2);
  return text;
}

let lastTime = 0;

/**
 * A UUIDv7 (RFC 9562). The ids sort in the order of their creation, also within a millisecond (each gets a millisecond of
 * its own) and after the clock was set back. The queue is sent in this order, and the server stores ascending ids fast.
 */
export function newEventId(): string {
  const random = randomHex(10);
  const variant = '89ab'.charAt(random.charCodeAt(0) & 3);
  const digits = hex((lastTime = Math.max(Date.now(), lastTime + 1)), 12) + 7 + random.slice(1, 4) + variant + random.slice(5);
  return digits.replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** The last `digits` hex digits of a number. */
export function hex(number: number, digits: number): string {
  return ('00000000000' + number.toString(16)).slice(-digits);
}
