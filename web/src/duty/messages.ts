import type { Messages } from '@/i18n'

export const messages: Messages = {
  'zh-CN': { duty: {
    title: '值班表', role: '职责', place: '地点', owner: '当班', deputy: '副手', gap: '空缺', empty: '没有值班安排。先导入值班表，任务才有责任人。', gaps: '空缺 {n} 处：这些地方的任务没有责任人', loading: '正在读取值班表…',
  } },
  en: { duty: {
    title: 'Duty roster', role: 'Duty', place: 'Place', owner: 'On duty', deputy: 'Deputy', gap: 'vacant', empty: 'There is no roster. Load one, so that tasks have owners.', gaps: '{n} vacant: tasks there have no owner', loading: 'Reading the roster…',
  } },
}
