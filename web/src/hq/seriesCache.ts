// Recent points of a series, fetched once for all who draw it and renewed when they are old.
import { address, api, query } from '@/api/client'
import type { Series } from '@/api/types'

const KEEP_MS = 60_000
const LIMIT = 64
const kept = new Map<string, { at: number; answer: Promise<Series> }>()

/** `hours` before `now`, one point every `every_s` seconds. Aligned to the minute so that asks can share an answer. */
export function recent(series: string, now: number, hours: number, every_s: number, hoursAhead = 0): Promise<Series> {
  const to = Math.ceil(now / 60_000) * 60_000
  const key = `${address(series)}/${hours}/${every_s}/${hoursAhead}`
  const known = kept.get(key)
  if (known && Date.now() - known.at < KEEP_MS) return known.answer
  const range = query({ from: new Date(to - hours * 3_600_000).toISOString(), to: new Date(to + hoursAhead * 3_600_000).toISOString(), every: `${every_s}s` })
  const answer = api.get<Series>(`/series/${encodeURIComponent(series)}/observations${range}`)
  if (kept.size >= LIMIT) kept.delete(kept.keys().next().value ?? '')
  kept.set(key, { at: Date.now(), answer })
  answer.catch(() => kept.delete(key))
  return answer
}
