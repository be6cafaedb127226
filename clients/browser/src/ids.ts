/** `bytes` random bytes in hex, from the browser's cryptographic source. */
export function randomHex(bytes: number): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => hex(byte, 2)).join('');
}

let lastTime = 0;
let counter = 0;

/**
 * A UUIDv7 (RFC 9562): its order is the order of making, within a millisecond too (a counter in the 12 bits after the
 * version), and when the clock is set back. The queue is sent in this order, and the server stores it fast.
 */
export function newEventId(): string {
  const now = Date.now();
  if (now > lastTime) {
    lastTime = now;
    counter = 0;
  } else if (++counter > 0xfff) {
    lastTime++;
    counter = 0;
  }
  const time = hex(lastTime, 12);
  const random = randomHex(8);
  const variant = hex(8 + (parseInt(random.charAt(0), 16) & 3), 1);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(counter, 3)}-${variant}${random.slice(1, 4)}-${random.slice(4)}`;
}

function hex(number: number, digits: number): string {
  return number.toString(16).padStart(digits, '0');
}
