// Texts of the patrol phone.
import type { Messages } from '@/i18n'

export const messages: Messages = {
  'zh-CN': {
    patrol: {
      drill: '【演练】', comma: '、', clock: { demo: '演示钟 {time}', drill: '演练钟 {time}' }, demo: '演示数据', drillBar: '演练中 · 不是真实汛情', drillElsewhere: '指挥部正在演练，与本页任务无关',
      over: { bar: '已结束', unknown: '已结束，或没有这一场', real: '真有危险：到实况页求救', task: '演练已结束，任务只供查看。' },
      nav: { tasks: '任务', report: '报险', map: '地图', me: '我的', label: '巡查端页面', sos: 'SOS', hold: '按住 2 秒' },
      bar: { offline: '离线 · 内容已存手机', degraded: '实时连接中断，改为每 15 秒查询', sending: '正在发送', refused: '指挥部未收，看“我的”里的原因', queue: '待发 {n} 条', failed: '被退回 {n} 条', signIn: '登录已失效，内容还在手机里', signInNow: '去登录', ended: '请登录后查看任务' },
      level: { asOf: '{time} 的等级' },
      empty: { title: '现在没有你的任务', hint: '有新任务会响铃。发现险情请直接报险。', noMember: '这个账号没有绑定网格员，收不到任务。请用网格员账号登录。', loading: '正在取任务…', never: '还没有取到过任务。连上网后会自动取。', cached: '离线任务单，{time} 取得' },
      task: {
        fresh: '新任务', lifeSafety: '人命优先', retreat: '撤离', issued: '{time} 指挥部下达', left: '剩 {text}', waterAt: '预计 {time} 到水', waterThere: '此处已进水：先与指挥部核实再去', leaveBy: '最迟 {time} 撤离', takenBack: '指挥部撤销了你在办的 {n} 项任务', takenBackHint: '不必再办。人在现场的，按指挥部新的安排走。', asIssued: '指令原文', over: '超时 {text}', away: '距你 {m} m', awayKm: '距你 {km} km', person: '与 {name} 搭档',
        other: '由 {name} 负责', handed: '已转 {name}，您仍可应答', round: '第 {n} 遍', every: '每 {n} 分钟一遍', waiting: '待发', open: '打开', finished: '今天已办 {n} 件', finishedElse: '今天已办 {n} 件 · 未办（去不了、已撤销）{m} 件', evidence: '完成时需回传：{what}', count: '数量', countHint: '必填，例如 12', missing: '还缺{what}。补上，或再按一次“完成”先交差。',
        acknowledge: '收到，马上去', arrive: '到达', done: '完成', decline: '去不了…', navigate: '导航', why: '为什么是我', speak: '念给我听', photo: '拍照', photoMore: '再拍一张', 
        photos: '{n} 张照片', removePhoto: '去掉第 {n} 张照片', withdrawn: '指挥部已撤销这项任务', doneNote: '已完成，等待核查', 
      },
      status: { draft: '待下发', issued: '已下发', delivered: '已送达', acknowledged: '已签收', 'on-site': '已到达', done: '已完成', verified: '已核查', declined: '去不了', overdue: '已超时', unanswered: '应答超时', escalated: '已升级', withdrawn: '已撤销' },
      time: { dh: '{d} 天 {h} 小时', hm: '{h} 小时 {m} 分', m: '{m} 分', ms: '{m} 分 {s} 秒' },
      decline: { title: '为什么去不了？', hint: '点一下就告诉指挥部，由别人接手。', 'road-cut': '道路中断', injured: '受伤或生病', busy: '正在处理别的险情', other: '其他原因' },
      why: { title: '为什么是我', loading: '正在取依据…', offline: '离线，依据还没存到手机。连上网后再看。', clause: '预案 {code}', kinds: { reading: '读数', quality: '校验', rule: '规则', level: '等级', signature: '签发', clause: '条款', duty: '值班表', person: '你' } },
      retreat: { title: '立即撤离', ack: '收到，正在撤', out: '我已到安全处', place: '撤离地点', keep: '到安全处后再按一次。指挥部在等你的消息。', silence: '静音', sound: '开声音' },
      nav2: { title: '导航到 {name}', app: '用地图应用打开', amap: '用高德地图打开', bearing: '方向 {dir}，{text}', noFix: '还没有定位，打开手机定位后显示方向和距离。', offline: '离线时按方向和距离走，桩号见下图。', dirs: '北 东北 东 东南 南 西南 西 西北' },
      report: {
        title: '报险：看到了什么？', levee: '堤防', dam: '坝岸工程', other: '其他', change: '换一种', where: '在哪里', minus: '退 50 米', plus: '进 50 米', chainage: '桩号', noLevee: '还没有堤线数据，请在说明里写地点。', fromGps: '定位 ±{n} m', fromTask: '没有定位，按任务地点填', fromHand: '手工填写', noPlace: '没有定位，请填桩号', checkSide: '定位不准，请核对哪一侧',
        side: '哪一侧', water: '临河', crest: '堤顶', land: '背河', near: '靠近 {name}', noPost: '没填桩号：按你的值守地段上报', submit: '上报', more: '补充说明', size: '范围约（米）', muddy: '浑水', clear: '清水', waterKind: '出水', text: '说明（可不填）', saved: '已存手机，正在上报', savedOffline: '已存手机，有网就发', full: '手机里待发已满 {n} 条，先等它们发出去再报。打电话给值班室。',
        photoFailed: '这张照片读不出来，请换一张。', seenBefore: '有人报过？', addPhoto: '补一张照片', metres: '{n} m 外', textSize: '范围约 {n} 米', textMuddy: '出水浑浊', textClear: '出水清', less: '减 1 米', plus1: '加 1 米', badChainage: '桩号写成 K9+200 的样子', outside: '桩号应在 {from} 到 {to} 之间',
      },
      queue: {
        title: '发送记录', draft: '草稿', queued: '待发', sending: '发送中', delivered: '已送达', seen: '指挥部已看', failed: '被退回', you: '你 {time} 上报', youDid: '你 {time} 按下', photos: '{n} 张照片', edit: '修改', resend: '重发', discard: '不要了', discardSure: '再按一次，永久删除', reason: '退回原因：{text}',
        field: '问题在：{field}', progress: '第 {n}/{of} 步', next: '{n} 秒后再试', none: '还没有发过内容', flush: '现在就发', task: '任务 {code}：{move}', sos: 'SOS 求救', picture: '补照片', photoOf: '照片：{title}', low: '手机剩余空间只有 {n} MB，照片可能存不下。', moves: { acknowledge: '收到', decline: '去不了', arrive: '到达', done: '完成' },
      },
      sos: { holding: '继续按住…', undo: '撤回', undoTitle: 'SOS 将在 {n} 秒后发出', calling: 'SOS 已发出', callingOffline: 'SOS 存在手机里，正在找信号', times: '第 {n} 次呼叫，{s} 秒后再呼', waiting: '等指挥部应答，手机会一直重发', answered: '指挥部已收到', by: '{name} 已应答，待在安全处等人。', stop: '我安全了，停止呼叫', close: '知道了', back: '缩到下面', bar: 'SOS 呼叫中 · 第 {n} 次', place: '位置 {text}', noPlace: '没有定位', real: '真有危险？这里只呼演练。点此到实况页求救' },
      map: { title: '沿堤图', me: '你在 {text}', noFix: '还没有定位', task: '任务', hazard: '险情', dam: '坝', water: '临河（黄河）', land: '背河', list: '图上内容', none: '离线，堤线还没存到手机。', label: '沿堤条带图：{from} 到 {to}', in: '放大', out: '缩小', here: '到我这里' },
      me: { account: '账号 {name}',
        title: '我的', large: '大字', light: '日光（浅色）', sound: '响铃', test: '响铃测试', testHint: '听得到、感觉得到振动才算通过。手机调到静音时，浏览器的声音也会没有；请关掉静音和勿扰，把媒体音量调到最大。', ring: '响一下', ringAlarm: '撤离警报', buzz: '振动', noBuzz: '这台手机的浏览器不能振动', stream: '实时通道', streamOk: '通', streamDown: '断', gps: '定位', gpsOk: '±{n} m', gpsNo: '未取得', gpsDenied: '被拒绝，请在浏览器设置里允许定位', storage: '手机存储', storageText: '已用 {used} MB，可用 {free} MB', kept: '受保护', notKept: '系统可能清理', signOut: '退出登录', refuse: '还有 {n} 条没送到指挥部，不能退出。等有网发完，或先导出。', export: '导出未发内容', exported: '已导出 {n} 条，可以退出了。', wake: '巡查时不熄屏', wakeNo: '这台手机不支持', on: '开', off: '关', installed: '离线可用', notInstalled: '离线页面未就绪',
      },
      alarm: { unlock: '点一下屏幕，打开响铃', newTask: '新任务：{title}' },
    },
  },
  en: {
    patrol: {
      drill: '[DRILL] ', comma: ', ', clock: { demo: 'Demo clock {time}', drill: 'Drill clock {time}' }, demo: 'Demo', drillBar: 'Drill · not a real flood', drillElsewhere: 'Headquarters runs a drill; your tasks here are not part of it',
      over: { bar: 'has ended', unknown: 'has ended, or there is none of that name', real: 'Real danger: call for help on the real page', task: 'The drill has ended; tasks are for reading.' },
      nav: { tasks: 'Tasks', report: 'Report', map: 'Map', me: 'Me', label: 'Pages of the patrol app', sos: 'SOS', hold: 'hold 2 s' },
      bar: { offline: 'Offline · kept on this phone', degraded: 'Live line cut; asking every 15 s', sending: 'Sending', refused: 'Not taken; the reason is under Me', queue: '{n} to send', failed: '{n} refused', signIn: 'Session ended; all is kept on this phone', signInNow: 'Sign in', ended: 'Sign in to see your tasks' },
      level: { asOf: 'Level as of {time}' },
      empty: { title: 'No task for you now', hint: 'The phone will ring for a new one. Report any hazard you see.', noMember: 'This account belongs to no grid member and gets no tasks. Sign in as a member.', loading: 'Fetching tasks…', never: 'No tasks fetched yet. They come as soon as there is a network.', cached: 'Offline list, fetched {time}' },
      task: {
        fresh: 'New task', lifeSafety: 'Life safety', retreat: 'Retreat', issued: '{time} from HQ', left: '{text} left', waterAt: 'Water expected at {time}', waterThere: 'Water is there: ask headquarters before you go', leaveBy: 'leave by {time}', takenBack: 'Headquarters took back {n} of your tasks', takenBackHint: 'Nothing more to do there. Go on as headquarters says.', asIssued: 'The order stands as issued, in Chinese.', over: '{text} late', away: '{m} m away', awayKm: '{km} km away', person: 'with {name}',
        other: '{name} has it', handed: 'Handed to {name}; you may still answer', round: 'round {n}', every: 'every {n} min', waiting: 'To send', open: 'Open', finished: '{n} finished today', finishedElse: '{n} finished today · {m} not done (could not go, withdrawn)', evidence: 'To send when done: {what}', count: 'Count', countHint: 'needed, for example 12', missing: 'Still missing: {what}. Add it, or press Done again to finish without.',
        acknowledge: 'Got it, going now', arrive: 'I am there', done: 'Done', decline: 'Cannot go…', navigate: 'Navigate', why: 'Why me', speak: 'Read aloud', photo: 'Take photo', photoMore: 'One more', 
        photos: '{n} photos', removePhoto: 'Remove photo {n}', withdrawn: 'HQ has withdrawn this task', doneNote: 'Done, waits to be checked', 
      },
      status: { draft: 'Draft', issued: 'Issued', delivered: 'Delivered', acknowledged: 'Acknowledged', 'on-site': 'On site', done: 'Done', verified: 'Verified', declined: 'Cannot go', overdue: 'Overdue', unanswered: 'answer late', escalated: 'Escalated', withdrawn: 'Withdrawn' },
      time: { dh: '{d} d {h} h', hm: '{h} h {m} min', m: '{m} min', ms: '{m} min {s} s' },
      decline: { title: 'Why can you not go?', hint: 'One tap tells HQ; another person takes over.', 'road-cut': 'Road is cut', injured: 'Injured or ill', busy: 'Busy with another hazard', other: 'Another reason' },
      why: { title: 'Why me', loading: 'Fetching the evidence…', offline: 'Offline, and the evidence is not on this phone yet. Look again with a network.', clause: 'Playbook {code}', kinds: { reading: 'Reading', quality: 'Check', rule: 'Rule', level: 'Level', signature: 'Signature', clause: 'Clause', duty: 'Duty table', person: 'You' } },
      retreat: { title: 'Leave now', ack: 'Got it, leaving', out: 'I am safe', place: 'Place to leave', keep: 'Press once more when you are safe. HQ waits for you.', silence: 'Mute', sound: 'Sound on' },
      nav2: { title: 'Go to {name}', app: 'Open in the map app', amap: 'Open in Amap', bearing: 'Head {dir}, {text}', noFix: 'No position yet. Switch on location to see heading and distance.', offline: 'Offline: follow heading and distance; posts are in the strip below.', dirs: 'N NE E SE S SW W NW' },
      report: {
        title: 'Report: what do you see?', levee: 'Levee', dam: 'Dams and revetments', other: 'Other', change: 'Change', where: 'Where', minus: 'Back 50 m', plus: 'On 50 m', chainage: 'Post', noLevee: 'No levee line on this phone yet: write the place below.', fromGps: 'GPS ±{n} m', fromTask: 'No GPS: place of your task', fromHand: 'Entered by hand', noPlace: 'No GPS: enter the post', checkSide: 'GPS is coarse: check the side',
        side: 'Side', water: 'River', crest: 'Crest', land: 'Land', near: 'Near {name}', noPost: 'No chainage: goes as your duty post', submit: 'Send report', more: 'More details', size: 'Extent (m)', muddy: 'Muddy', clear: 'Clear', waterKind: 'Water', text: 'Note (optional)', saved: 'Kept on the phone, sending', savedOffline: 'Kept on the phone, goes with the next signal', full: '{n} items wait on this phone and none more fit. Let them go first, or call the duty room.',
        photoFailed: 'This picture cannot be read; take another.', seenBefore: 'Already reported?', addPhoto: 'Add a photo', metres: '{n} m away', textSize: 'about {n} m', textMuddy: 'muddy water', textClear: 'clear water', less: '1 m less', plus1: '1 m more', badChainage: 'Write the post like K9+200', outside: 'The post lies between {from} and {to}',
      },
      queue: {
        title: 'Sent from this phone', draft: 'Draft', queued: 'To send', sending: 'Sending', delivered: 'Delivered', seen: 'Seen by HQ', failed: 'Refused', you: 'You, {time}', youDid: 'You, {time}', photos: '{n} photos', edit: 'Edit', resend: 'Send again', discard: 'Throw away', discardSure: 'Press again to delete for good', reason: 'Refused: {text}',
        field: 'At: {field}', progress: 'step {n}/{of}', next: 'again in {n} s', none: 'Nothing sent yet', flush: 'Send now', task: 'Task {code}: {move}', sos: 'SOS', picture: 'Photo added', photoOf: 'Photo: {title}', low: 'Only {n} MB free on this phone; photos may not fit.', moves: { acknowledge: 'got it', decline: 'cannot go', arrive: 'there', done: 'done' },
      },
      sos: { holding: 'Keep holding…', undo: 'Take back', undoTitle: 'SOS goes out in {n} s', calling: 'SOS sent', callingOffline: 'SOS is kept; looking for a signal', times: 'Call {n}, again in {s} s', waiting: 'Waiting for HQ; the phone keeps calling', answered: 'HQ has it', by: '{name} has answered. Stay where it is safe.', stop: 'I am safe, stop calling', close: 'Understood', back: 'Make small', bar: 'SOS calling · call {n}', place: 'At {text}', noPlace: 'No position', real: 'Real danger? This calls the drill only. Tap for the real page' },
      map: { title: 'Along the levee', me: 'You are at {text}', noFix: 'No position yet', task: 'Task', hazard: 'Hazard', dam: 'Dam', water: 'River side', land: 'Land side', list: 'What is shown', none: 'Offline, and the levee line is not on this phone yet.', label: 'Strip map from {from} to {to}', in: 'Zoom in', out: 'Zoom out', here: 'To my place' },
      me: { account: 'account {name}',
        title: 'Me', large: 'Large text', light: 'Daylight (light)', sound: 'Ring', test: 'Ring test', testHint: 'It passes when you hear it and feel it. A muted phone mutes the browser too: switch off silent and do-not-disturb, and turn the media volume up.', ring: 'Ring once', ringAlarm: 'Retreat alarm', buzz: 'Vibrate', noBuzz: 'The browser of this phone cannot vibrate', stream: 'Live line', streamOk: 'open', streamDown: 'cut', gps: 'Position', gpsOk: '±{n} m', gpsNo: 'none yet', gpsDenied: 'refused; allow location in the browser settings', storage: 'Storage', storageText: '{used} MB used, {free} MB free', kept: 'protected', notKept: 'the system may clear it', signOut: 'Sign out', refuse: '{n} items have not reached HQ, so you cannot sign out. Wait for a signal, or export them first.', export: 'Export unsent items', exported: '{n} exported; you may sign out.', wake: 'Keep the screen on', wakeNo: 'not supported by this phone', on: 'On', off: 'Off', installed: 'Works offline', notInstalled: 'Offline page not ready',
      },
      alarm: { unlock: 'Touch the screen to switch the ring on', newTask: 'New task: {title}' },
    },
  },
}
