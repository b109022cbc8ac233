// How long is left, in the words of a phone screen. `now` comes from the reach's clock, not from the phone's.

export interface Countdown { state: 'none' | 'left' | 'soon' | 'over'; days: number; hours: number; minutes: number; seconds: number; left_ms: number }

const SOON_MS = 10 * 60_000

/** What is left until `due`; 'soon' under ten minutes, 'over' counts up. */
export function countdown(due: string | null, nowMs: number): Countdown {
  const at = due === null ? Number.NaN : Date.parse(due)
  if (Number.isNaN(at)) return { state: 'none', days: 0, hours: 0, minutes: 0, seconds: 0, left_ms: 0 }
  const left = at - nowMs
  const size = Math.floor(Math.abs(left) / 1000)
  return {
    state: left < 0 ? 'over' : left < SOON_MS ? 'soon' : 'left', left_ms: left,
    days: Math.floor(size / 86_400), hours: Math.floor(size / 3600) % 24, minutes: Math.floor(size / 60) % 60, seconds: size % 60,
  }
}

/** The reach's time now: its clock when it was heard, run on at its own speed. */
export function reachNow(heard: { now: string; speed: number; at_ms: number } | null, phoneMs: number): number {
  if (heard === null) return phoneMs
  const base = Date.parse(heard.now)
  return Number.isNaN(base) ? phoneMs : base + (phoneMs - heard.at_ms) * heard.speed
}
