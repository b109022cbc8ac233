// What a report is called on the wall: the kind of hazard, or what else a phone can send.
import { currentLocale } from '@/i18n'
import { hazardNames } from '@/patrol/hazardNames'

const OTHERS: Record<string, [zh: string, en: string]> = { sos: ['求救', 'SOS'], photo: ['照片', 'Photo'], patrol: ['巡查', 'Patrol'], task: ['任务回传', 'Task report'], public: ['公众线索', 'Tip from the public'], event: ['视频事件线索', 'Event of a camera'] }

export function hazardName(type: string): string {
  const locale = currentLocale()
  return hazardNames[locale][type] ?? OTHERS[type]?.[locale === 'en' ? 1 : 0] ?? type
}

/** The instruction whose tasks an alarm speaks of: nobody answered, nobody to do it; null for other alarms. */
export const codeOfAlarm = (key: string): string | null => /^(?:unanswered|unowned):([^:]+)/.exec(key)?.[1] ?? null

/** The report behind an alarm's key; null for other alarms. */
export const reportOfAlarm = (key: string): string | null => (key.startsWith('report:') ? key.slice('report:'.length) : null)
