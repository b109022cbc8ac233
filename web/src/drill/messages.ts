import type { Messages } from '@/i18n'

export const messages: Messages = {
  'zh-CN': { drill: {
    title: '演练台', banner: '【演练】', running: '演练进行中，时钟 {now}，×{speed}', paused: '演练暂停在 {now}', done: '演练已结束',
    flood: '洪水', scope: '参演人员', real: '真人（所有消息以【演练】开头）', virtual: '虚拟队员', speed: '时钟倍数', start: '开始演练', pause: '暂停', resume: '继续', stop: '结束演练', report: '复盘报告', again: '再开一场',
    historical: '历史', synthetic: '合成', peak: '洪峰 {q} m³/s', hours: '{n} 小时', source: '来源', forbidden: '导演或指挥员可以开演练；当前账号只能观看。', none: '没有可用的洪水过程。把洪水文件放进 floods/ 后重试。', level: '当前级别', progress: '进度',
    inject: '注入事件', target: '对象（如 huayuankou.stage）', kind: '类型', value: '数值（可不填）', send: '注入', injected: '已注入 {n} 项（参演者看不到这里）',
    kinds: { dead: '测站失灵', frozen: '读数冻结', spike: '跳变', drift: '漂移', shake: '石头移动', breach: '决口', comms: '通信中断', power: '停电', rumour: '谣言' },
  } },
  en: { drill: {
    title: 'Drill console', banner: '[DRILL]', running: 'Drill running, clock {now}, ×{speed}', paused: 'Drill paused at {now}', done: 'Drill ended',
    flood: 'Flood', scope: 'Players', real: 'real people (every message begins with [DRILL])', virtual: 'virtual members', speed: 'Speed of the clock', start: 'Start the drill', pause: 'Pause', resume: 'Go on', stop: 'End the drill', report: 'After-action report', again: 'Another drill',
    historical: 'historical', synthetic: 'synthetic', peak: 'peak {q} m³/s', hours: '{n} h', source: 'Source', forbidden: 'A director or commander may start drills; this account may watch.', none: 'There is no flood to replay. Put flood files into floods/ and try again.', level: 'Level now', progress: 'Progress',
    inject: 'Inject', target: 'Target (such as huayuankou.stage)', kind: 'Kind', value: 'Value (optional)', send: 'Inject', injected: '{n} injected (players do not see this)',
    kinds: { dead: 'dead sensor', frozen: 'frozen value', spike: 'spike', drift: 'drift', shake: 'stone moves', breach: 'breach', comms: 'comms loss', power: 'power cut', rumour: 'rumour' },
  } },
}
