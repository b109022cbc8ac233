import type { Messages } from '@/i18n'

export const messages: Messages = {
  'zh-CN': { drill: {
    title: '演练台', banner: '【演练】', running: '演练进行中，时钟 {now}，×{speed}', held: '有启动申请等待第二人确认，时钟 {now}，暂按 ×1 走，确认后恢复 ×{speed}', behind: '数据处理跟不上 ×{speed}，时钟停在 {now} 附近等待，不跳过任何读数', paused: '演练暂停在 {now}', done: '演练已结束，止于 {now}', interrupted: '演练因服务器停机而中断，止于 {now}；日志完好，可看复盘报告',
    wrong: { two: '地址里的 drill 写了两次，或没有写是哪一场，不知道说的是哪一场演练', none: '没有演练 {id}', ended: '演练 {id} 已结束，只有复盘报告可看', hint: '没有打开任何页面，也没有向任何人发送任何内容。', wall: '打开实况大屏', phone: '真有危险：到实况页求救' },
    flood: '洪水', scope: '参演人员', virtual: '虚拟队员（不通知任何真人）', speed: '时钟倍数', start: '开始演练', pause: '暂停', resume: '继续', stop: '结束演练', report: '复盘报告', again: '再开一场', new: '新的演练',
    historical: '历史', synthetic: '合成', peak: '洪峰 {q} m³/s', hours: '{n} 小时', source: '来源', forbidden: '值班员、指挥员或导演可以开演练；当前账号只能观看。', none: '没有可用的洪水过程。把洪水文件放进 floods/ 后重试。', level: '当前级别', progress: '进度', wall: '打开演练大屏', phone: '参演手机',
    begin: '起始时刻', approach: '首次接近Ⅳ级流量（{at}）', first: '洪水过程开头（{at}）', own: '指定时刻', ownAt: '时刻（北京时间）', span: '过程 {from} 至 {to}',
    stopAsk: '结束后不能继续，只能看报告。确定结束？', stopYes: '确定结束', stopNo: '不结束',
    earlier: '已开过的演练', earlierNone: '还没有开过演练。', when: '演练时段', state: { running: '进行中', paused: '已暂停', done: '已结束', interrupted: '中断' }, open: '打开', pdf: '报告 PDF', csv: '任务表 CSV', page: '报告网页',
    inject: {
      title: '导调注入', note: '参演人员看不到', only: '只有导演账号可以注入；值班员和指挥员是参演人员。', kind: '类型', target: '对象', chainage: '按桩号', metres: '桩号（m）', value: '量值', valueHint: '空缺用默认', for: '持续（分钟）', forHint: '空缺到结束', now: '立即注入', made: '已注入 {n} 条', none: '还没有注入。', done: '第 {n} 条已注入：{what}',
      number: '序', from: '时刻', what: '注入', until: '持续', reaction: '反应', always: '到结束', minutes: '{n} 分', expect: '预期反应',
      group: { gauge: '测站', stone: '工程与石头', people: '人员', place: '堤段与工程' },
      unit: { spike: '测站用原单位，石头用 °', drift: '每小时变化量', shake: 'm/s²', power: '石头供电 V', breach: '石头转角 °' },
      expects: { dead: '该序列告警失联，依赖它的条件列为待定', frozen: '质量检查标记数值不变', spike: '质量检查标记突跳，不因一个坏值升级', drift: '邻站或水位流量关系检查标记偏差', shake: '石头研判报告震动', comms: '设备告警失联；人员未签收，升级到 B 角和指挥长', power: '设备告警失联或欠压', breach: '石头报警，约十分钟后有人上报；核实、抢险、撤离', rumour: '有人上报假险情；指挥部核实并判为误报' },
    },
  } },
  en: { drill: {
    title: 'Drill console', banner: '[DRILL]', running: 'Drill running, clock {now}, ×{speed}', held: 'A request waits for its second person: clock {now} runs at ×1, afterwards at ×{speed} again', behind: 'Readings cannot be judged as fast as ×{speed}: the clock waits near {now}, no reading is skipped', paused: 'Drill paused at {now}', done: 'Drill ended at {now}', interrupted: 'The drill was cut off at {now} when the server went down; its journal is whole, the report can be read',
    wrong: { two: 'The address names a drill twice, or none after drill=: it is not known which one is meant', none: 'There is no drill {id}', ended: 'Drill {id} has ended; its report is left', hint: 'No page was opened, and nothing was sent to anyone.', wall: 'Open the real wall', phone: 'Real danger: call for help on the real page' },
    flood: 'Flood', scope: 'Players', virtual: 'virtual members (nobody real is notified)', speed: 'Speed of the clock', start: 'Start the drill', pause: 'Pause', resume: 'Go on', stop: 'End the drill', report: 'After-action report', again: 'Another drill', new: 'New drill',
    historical: 'historical', synthetic: 'synthetic', peak: 'peak {q} m³/s', hours: '{n} h', source: 'Source', forbidden: 'Duty officers, commanders and directors may start drills; this account may watch.', none: 'There is no flood to replay. Put flood files into floods/ and try again.', level: 'Level now', progress: 'Progress', wall: 'Open the wall of the drill', phone: 'Phone in the drill',
    begin: 'Start', approach: 'where it first approaches level IV ({at})', first: 'first moment of the flood ({at})', own: 'a moment of your own', ownAt: 'Moment (Beijing time)', span: 'from {from} to {to}',
    stopAsk: 'An ended drill cannot go on; its report stays. End it?', stopYes: 'End it', stopNo: 'Do not end it',
    earlier: 'Earlier drills', earlierNone: 'No drill was run yet.', when: 'Drilled', state: { running: 'running', paused: 'paused', done: 'ended', interrupted: 'interrupted' }, open: 'Open', pdf: 'Report, PDF', csv: 'Tasks, CSV', page: 'Report, page',
    inject: {
      title: 'Injects', note: 'invisible to players', only: 'Only a director account may inject; duty officers and commanders are players.', kind: 'Kind', target: 'Target', chainage: 'by chainage', metres: 'Chainage (m)', value: 'Size', valueHint: 'empty: default', for: 'Lasts (min)', forHint: 'empty: to the end', now: 'Inject now', made: '{n} injected', none: 'Nothing was injected yet.', done: 'Inject {n} is out: {what}',
      number: 'No.', from: 'At', what: 'Inject', until: 'Lasts', reaction: 'Reaction', always: 'to the end', minutes: '{n} min', expect: 'Expected reaction',
      group: { gauge: 'Gauges', stone: 'Works and stones', people: 'People', place: 'Levee and works' },
      unit: { spike: 'unit of the gauge; ° for stones', drift: 'change an hour', shake: 'm/s²', power: 'V of a stone', breach: '° of a stone' },
      expects: { dead: 'the series is missed; conditions that need it wait', frozen: 'the quality check flags a value that stands still', spike: 'the quality check flags the jump; no level rises by one bad value', drift: 'neighbours or the rating curve disagree', shake: 'the stone array reports shaking', comms: 'devices are missed; tasks of silent people go to deputies and the commander', power: 'devices are missed or report low power', breach: 'stones alarm, after ten minutes somebody reports; verify, repair, evacuate', rumour: 'somebody reports what is not so; headquarters finds out' },
    },
  } },
}
