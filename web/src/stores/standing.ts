// How a member stands, as the map and the tray show it.
import type { Member } from '@/api/types'

export type Standing = 'on-duty' | 'answered' | 'unanswered'

export function standing(member: Member): Standing {
  return member.answered === null ? 'on-duty' : member.answered ? 'answered' : 'unanswered'
}
