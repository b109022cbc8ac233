// Order of alarms on the wall.
import type { Alarm, Task } from '@/api/types'
import { codeOfAlarm } from './reportWords'

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

/** How many nobody has minded yet, and the gravest of them; what a closed tab must still tell. */
export function openOf(alarms: Iterable<Alarm>): { n: number; gravest: Alarm['severity'] | null } {
  const open = [...alarms].filter((alarm) => alarm.state === 'new')
  return { n: open.length, gravest: SEVERITIES.find((severity) => open.some((alarm) => alarm.severity === severity)) ?? null }
}

/**
 * Unminded alarms that life hangs on, the gravest first: who calls for help, and what is critical for people, levee or
 * dams. A missing answer counts where its instruction warns, recalls or moves people.
 */
export function lifeAlarms(alarms: Iterable<Alarm>, tasks: Iterable<Task>): Alarm[] {
  const codes = new Set([...tasks].filter((task) => task.life_safety).map((task) => task.code))
  return sortAlarms(alarms).filter((alarm) => alarm.state === 'new' && (alarm.kind === 'sos'
    || (alarm.severity === 'critical' && (FIRST.includes(alarm.kind) || codes.has(codeOfAlarm(alarm.id) ?? '')))))
}
