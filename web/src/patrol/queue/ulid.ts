// Client-made ids: sortable by time, unique without a server; each is also the Idempotency-Key of its item.

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ' // Crockford: no I, L, O, U

/** A ULID: 10 characters of milliseconds since 1970, 16 of chance. */
export function ulid(nowMs: number, random: (bytes: Uint8Array) => Uint8Array = (bytes) => crypto.getRandomValues(bytes)): string {
  if (!Number.isInteger(nowMs) || nowMs < 0 || nowMs >= 2 ** 48) throw new RangeError(`no ULID for time ${nowMs}`)
  let time = ''
  for (let left = nowMs, i = 0; i < 10; i++) {
    time = ALPHABET.charAt(left % 32) + time
    left = Math.floor(left / 32)
  }
  let chance = ''
  for (const byte of random(new Uint8Array(16))) chance += ALPHABET.charAt(byte % 32)
  return time + chance
}
