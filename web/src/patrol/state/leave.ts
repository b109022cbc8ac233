// Alarms of water at the places where this person is, and what he has answered to each; answers outlast a reload.
import type { LeaveAlarm } from '@/api/types'
import { drillId } from '@/api/client'
import { readKept, writeKept } from './settings'

export type LeaveAnswer = 'leaving' | 'safe'
/** The alarm that covers the screen, and what its button says next. */
export interface LeaveShown { alarm: LeaveAlarm; next: LeaveAnswer }
/** By alarm: since when it stood when it was answered, so one that ended and comes again is a new one. */
export type LeaveAnswers = Record<string, { since: string; word: LeaveAnswer }>

const KEY = 'anlan.patrol.leave'
const keyNow = (): string => (drillId() === null ? KEY : `${KEY}.${drillId()}`)

export function readAnswers(): LeaveAnswers {
  try {
    return JSON.parse(readKept(keyNow()) ?? '{}') as LeaveAnswers
  } catch {
    return {}
  }
}

export function keepAnswers(answers: LeaveAnswers): void {
  writeKept(keyNow(), JSON.stringify(answers))
}

/** The first alarm that the person has not left behind; one that nobody has answered comes before one that is being answered. */
export function firstToLeave(alarms: LeaveAlarm[], answers: LeaveAnswers): LeaveShown | null {
  const word = (alarm: LeaveAlarm): LeaveAnswer | null => {
    const own = answers[alarm.id]
    return own?.since === alarm.since ? own.word : null
  }
  const open = alarms.filter((alarm) => word(alarm) !== 'safe')
  const alarm = open.find((one) => word(one) === null) ?? open[0]
  return alarm ? { alarm, next: word(alarm) === null ? 'leaving' : 'safe' } : null
}
