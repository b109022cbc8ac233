// Times are shown in the time of the river (Asia/Shanghai), 24 h, with the date when it is not today.

const ZONE = 'Asia/Shanghai'
const parts = new Intl.DateTimeFormat('en-CA', {
  timeZone: ZONE, year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23',
})

type Instant = string | number | Date

function fields(at: Instant): Record<string, string> | null {
  const date = at instanceof Date ? at : new Date(at)
  if (Number.isNaN(date.getTime())) return null
  return Object.fromEntries(parts.formatToParts(date).map((part) => [part.type, part.value]))
}

/** `14:32:08`; empty for an unreadable time. */
export function clockTime(at: Instant): string {
  const f = fields(at)
  return f ? `${f.hour}:${f.minute}:${f.second}` : ''
}

/** `2026-07-28`. */
export function day(at: Instant): string {
  const f = fields(at)
  return f ? `${f.year}-${f.month}-${f.day}` : ''
}

/** `14:32`, or `07-27 14:32` on another day of the year of `now`, or with the year. */
export function moment(at: Instant | null | undefined, now: Instant): string {
  const f = at === null || at === undefined ? null : fields(at)
  const today = fields(now)
  if (!f) return '—'
  const time = `${f.hour}:${f.minute}`
  if (!today || (f.year === today.year && f.month === today.month && f.day === today.day)) return time
  const date = `${f.month}-${f.day}`
  return f.year === today.year ? `${date} ${time}` : `${f.year}-${date} ${time}`
}

export interface Age { key: 'now' | 'seconds' | 'minutes' | 'hours' | 'days' | 'ahead'; n: number }

/** An age in seconds as a message key and its number, rounded down. */
export function age(seconds: number): Age {
  if (seconds < -5) return { key: 'ahead', n: 0 }
  if (seconds < 5) return { key: 'now', n: 0 }
  if (seconds < 60) return { key: 'seconds', n: Math.floor(seconds) }
  if (seconds < 3600) return { key: 'minutes', n: Math.floor(seconds / 60) }
  if (seconds < 86_400) return { key: 'hours', n: Math.floor(seconds / 3600) }
  return { key: 'days', n: Math.floor(seconds / 86_400) }
}

/** A running duration: `0:07`, `12:30`, `1:05:00`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const h = Math.floor(whole / 3600)
  const m = Math.floor((whole % 3600) / 60)
  const s = String(whole % 60).padStart(2, '0')
  return h > 0 ? `${h}:${String(m).padStart(2, '0')}:${s}` : `${m}:${s}`
}
