// What the director asks for, and moments as a form field writes them: wall time of the river, no zone.
export const SPEEDS = [1, 10, 60, 600, 3600]
export interface Wish { flood: string; speed: number; start?: string }
export interface InjectWish { target: string; kind: string; value?: number; for_s?: number }

const ZONE = '+08:00'
const ZONE_MS = 8 * 3600_000

/** `1958-07-16T18:00` of an instant; empty for an unreadable one. */
export function localInput(at: string): string {
  const ms = Date.parse(at)
  return Number.isNaN(ms) ? '' : new Date(ms + ZONE_MS).toISOString().slice(0, 16)
}

/** The instant of `1958-07-16T18:00`; undefined where the field is empty or unreadable. */
export function ofLocalInput(text: string): string | undefined {
  const ms = Date.parse(`${text}:00${ZONE}`)
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString()
}

/** A number of a text field; undefined where it is empty or none. */
export function fieldNumber(text: string | number): number | undefined {
  const value = typeof text === 'number' ? text : text.trim() === '' ? NaN : Number(text)
  return Number.isFinite(value) ? value : undefined
}
