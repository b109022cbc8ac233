// Sample state of a synthetic reach, typed as the server's answers.
import type { Me } from '../src/api/types'

export const me: Me = {
  name: '张某', role: 'duty', member_id: null, demo: true,
  may: ['preview', 'activate', 'confirm', 'break-glass', 'task', 'report', 'reveal', 'drill'],
}
