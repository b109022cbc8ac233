import type { Messages } from '@/i18n'

export const messages: Messages = {
  'zh-CN': { drill: {
    title: '演练台', banner: '【演练】', running: '演练进行中，时钟 {now}，×{speed}', paused: '演练暂停在 {now}', done: '演练已结束',
    flood: '洪水', scope: '参演人员', virtual: '虚拟队员', speed: '时钟倍数', start: '开始演练', pause: '暂停', resume: '继续', stop: '结束演练', report: '复盘报告', again: '再开一场',
    historical: '历史', synthetic: '合成', peak: '洪峰 {q} m³/s', hours: '{n} 小时', source: '来源', forbidden: '导演或指挥员可以开演练；当前账号只能观看。', none: '没有可用的洪水过程。把洪水文件放进 floods/ 后重试。', level: '当前级别', progress: '进度', wall: '打开演练大屏',
  } },
  en: { drill: {
    title: 'Drill console', banner: '[DRILL]', running: 'Drill running, clock {now}, ×{speed}', paused: 'Drill paused at {now}', done: 'Drill ended',
    flood: 'Flood', scope: 'Players', virtual: 'virtual members', speed: 'Speed of the clock', start: 'Start the drill', pause: 'Pause', resume: 'Go on', stop: 'End the drill', report: 'After-action report', again: 'Another drill',
    historical: 'historical', synthetic: 'synthetic', peak: 'peak {q} m³/s', hours: '{n} h', source: 'Source', forbidden: 'A director or commander may start drills; this account may watch.', none: 'There is no flood to replay. Put flood files into floods/ and try again.', level: 'Level now', progress: 'Progress', wall: 'Open the wall of the drill',
  } },
}
