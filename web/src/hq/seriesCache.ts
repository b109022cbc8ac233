// Recent points of a series, fetched once for all who draw it and renewed when they are old.
import { address, api, query } from '@/api/client'
import type { Series } from '@/api/types'

const KEEP_MS = 60_000
const LEAST_MS = 1_000
/** A picture is renewed when this share of its span has passed on the reach's clock. */
const STALE_SHARE = 0.02
const LIMIT = 64
const kept = new Map<string, { at: number; answer: Promise<Series> }>()

/** How long a picture of so many hours stays good, ms of the wall clock: a fast clock makes it old sooner. */
export function keepFor(hours: number, speed: number): number {
  return Math.max(LEAST_MS, Math.min(KEEP_MS, (hours * 3_600_000 * STALE_SHARE) / Math.max(1, speed)))
}

/** `hours` before `now`, one point every `every_s` seconds. Aligned to the minute so that asks can share an answer. */
export function recent(series: string, now: number, hours: number, every_s: number, hoursAhead = 0, speed = 1): Promise<Series> {
  const to = Math.ceil(now / 60_000) * 60_000
  const key = `${address(series)}/${hours}/${every_s}/${hoursAhead}`
  const known = kept.get(key)
  if (known && Date.now() - known.at < keepFor(hours, speed)) return known.answer
  const range = query({ from: new Date(to - hours * 3_600_000).toISOString(), to: new Date(to + hoursAhead * 3_600_000).toISOString(), every: `${every_s}s` })
  const answer = api.get<Series>(`/series/${encodeURIComponent(series)}/observations${range}`)
  if (kept.size >= LIMIT) kept.delete(kept.keys().next().value ?? '')
  kept.set(key, { at: Date.now(), answer })
  answer.catch(() => kept.delete(key))
  return answer
}

/** What the time control runs along: hours before and after now, seconds from point to point. */
export const COURSE = { before_h: 48, ahead_h: 72, every_s: 600 }

/** A series with its forecast, as the hydrograph draws it. */
export const course = (series: string, now: number, speed: number): Promise<Series> => recent(series, now, COURSE.before_h, COURSE.every_s, COURSE.ahead_h, speed)

/** Somebody changed the past of a series: the next one who draws it asks anew. */
export function forget(series: string): void {
  for (const key of kept.keys()) if (key.startsWith(`${address(series)}/`)) kept.delete(key)
}
