// Order of alarms on the wall.
import type { Alarm } from '@/api/types'

const STATES: Alarm['state'][] = ['new', 'acked', 'shelved', 'closed']
const SEVERITIES: Alarm['severity'][] = ['critical', 'warning', 'info']

/** Lives and works before all else: who calls for help, own people in the water's way, what happens to levee and dams. */
const FIRST = ['sos', 'water', 'hazard', 'stones']
const rank = (alarm: Alarm): number => { const at = FIRST.indexOf(alarm.kind); return at < 0 ? FIRST.length : at }

/** Open before acknowledged before shelved; lives and works first, then by severity, the newest first. Closed ones are left out. */
export function sortAlarms(alarms: Iterable<Alarm>): Alarm[] {
  return [...alarms].filter((alarm) => alarm.state !== 'closed').sort((a, b) =>
    STATES.indexOf(a.state) - STATES.indexOf(b.state)
    || rank(a) - rank(b)
    || SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity)
    || b.last.localeCompare(a.last)
    || a.id.localeCompare(b.id))
}

/** So many missing answers stand on their own; more of them become one row. */
const ALONE = 3

/** What is shown of sorted alarms: the missing answers of many instructions are one row until it is opened. */
export function folded(rows: Alarm[], isOpen: boolean): { shown: Alarm[]; hidden: number } {
  const unanswered = rows.filter((row) => row.kind === 'unanswered' && row.state === 'new')
  if (unanswered.length <= ALONE) return { shown: rows, hidden: 0 }
  const gone = new Set(unanswered.slice(1))
  return { shown: isOpen ? rows : rows.filter((row) => !gone.has(row)), hidden: gone.size }
}
