// From the form of a hazard to what goes on the wire. Pure.
import { chainageFrom, spotOf, type Fix, type Levee, type Side } from './place/chainage'
import type { ReportBody } from './queue/item'

export interface HazardForm { type: string; post: string; side: Side | null; size_m: number; water: 'muddy' | 'clear' | null; text: string }

export type FormFault = 'badChainage' | 'outside'

/** What is wrong with the form; null when it may go. A place in words is enough where no levee is known. */
export function faultOf(form: HazardForm, levee: Levee | null): FormFault | null {
  if (form.post.trim() === '') return null
  const post = chainageFrom(form.post)
  if (post === null) return 'badChainage'
  const first = levee?.points[0]?.chainage_m
  const last = levee?.points[levee.points.length - 1]?.chainage_m
  return first !== undefined && last !== undefined && (post < first || post > last) ? 'outside' : null
}

/** The report. `words` gives the optional details as text, in the language of headquarters. */
export function bodyOf(form: HazardForm, fix: Pick<Fix, 'lon' | 'lat'> | null, nowMs: number, words: (form: HazardForm) => string[]): ReportBody {
  const text = [...words(form), form.text.trim()].filter((part) => part !== '').join('；')
  const place = spotOf(form.post.trim() === '' ? null : chainageFrom(form.post), form.side, fix)
  return { kind: 'hazard', type: form.type, place, observed_at: new Date(nowMs).toISOString(), ...(text === '' ? {} : { text }) }
}
