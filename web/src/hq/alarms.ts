// Order of alarms on the wall.
import type { Alarm } from '@/api/types'

const STATES: Alarm['state'][] = ['new', 'acked', 'shelved', 'closed']
const SEVERITIES: Alarm['severity'][] = ['critical', 'warning', 'info']

/** Open before acknowledged before shelved; a cry for help first, then by severity, the newest first. Closed ones are left out. */
export function sortAlarms(alarms: Iterable<Alarm>): Alarm[] {
  return [...alarms].filter((alarm) => alarm.state !== 'closed').sort((a, b) =>
    STATES.indexOf(a.state) - STATES.indexOf(b.state)
    || Number(b.kind === 'sos') - Number(a.kind === 'sos')
    || SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity)
    || b.last.localeCompare(a.last)
    || a.id.localeCompare(b.id))
}
