// Words that every room uses.
import type { Messages } from './index'

export const shared: Messages = {
  'zh-CN': {
    app: { name: '安澜', subtitle: '花园口段 · 沿黄区域应急防汛平台' },
    level: {
      none: { roman: '—', word: '无预警', name: '未达预警', response: '—' },
      blue: { roman: 'Ⅳ', word: '蓝色', name: '蓝色预警', response: 'Ⅳ 级' },
      yellow: { roman: 'Ⅲ', word: '黄色', name: '黄色预警', response: 'Ⅲ 级' },
      orange: { roman: 'Ⅱ', word: '橙色', name: '橙色预警', response: 'Ⅱ 级' },
      red: { roman: 'Ⅰ', word: '红色', name: '红色预警', response: 'Ⅰ 级' },
    },
    scope: { derived: '（推演）', drill: '【演练】' },
    age: { seconds: '{n} 秒前', minutes: '{n} 分钟前', hours: '{n} 小时前', days: '{n} 天前', now: '刚刚', ahead: '时间在将来' },
    evidence: { photo: '照片', video: '视频', gps: '定位', count: '数量', signature: '签字', checklist: '逐项勾选' },
    quality: { good: '合格', manual: '人工', estimated: '估算', suspect: '存疑', bad: '不可用' },
    freshness: { fresh: '正常', late: '迟报', stale: '中断', missing: '缺测' },
    action: { retry: '重试', close: '关闭', cancel: '取消', expand: '展开', confirm: '确认', language: 'English', signOut: '退出登录', back: '返回' },
    error: {
      network: '连不上服务器。页面保留最后收到的数据，正在自动重试。',
      timeout: '服务器没有按时回答，请再试一次。',
      page: '页面出错，请再试一次。',
      unreadable: '服务器的回答无法读取（{status}）',
      id: '错误编号 {id}',
      forbidden: '当前账号没有这项权限',
      unknownPage: '没有这个页面',
      unknownPageHint: '地址 {path} 不在本系统中。现有页面：',
    },
    page: { hq: '指挥大屏', patrol: '巡查端', drill: '演练台', duty: '值班', login: '登录', public: '公众上报', setup: '首次设置' },
  },
  en: {
    app: { name: 'Anlan', subtitle: 'Huayuankou reach · Yellow River flood response' },
    level: {
      none: { roman: '—', word: 'None', name: 'No warning', response: '—' },
      blue: { roman: 'IV', word: 'Blue', name: 'Blue warning', response: 'Level IV' },
      yellow: { roman: 'III', word: 'Yellow', name: 'Yellow warning', response: 'Level III' },
      orange: { roman: 'II', word: 'Orange', name: 'Orange warning', response: 'Level II' },
      red: { roman: 'I', word: 'Red', name: 'Red warning', response: 'Level I' },
    },
    scope: { derived: ' (simulated)', drill: '[DRILL] ' },
    age: { seconds: '{n} s ago', minutes: '{n} min ago', hours: '{n} h ago', days: '{n} d ago', now: 'just now', ahead: 'time lies ahead' },
    evidence: { photo: 'photo', video: 'video', gps: 'position', count: 'count', signature: 'signature', checklist: 'checklist' },
    quality: { good: 'good', manual: 'manual', estimated: 'estimated', suspect: 'suspect', bad: 'unusable' },
    freshness: { fresh: 'fresh', late: 'late', stale: 'stale', missing: 'missing' },
    action: { retry: 'Try again', close: 'Close', cancel: 'Cancel', expand: 'Show all', confirm: 'Confirm', language: '中文', signOut: 'Sign out', back: 'Back' },
    error: {
      network: 'The server cannot be reached. The page keeps the last data received and is trying again.',
      timeout: 'The server did not answer in time. Please try again.',
      page: 'The page failed. Please try again.',
      unreadable: 'The answer of the server cannot be read ({status})',
      id: 'Error id {id}',
      forbidden: 'This account has no right to do that',
      unknownPage: 'There is no such page',
      unknownPageHint: 'The address {path} is not part of this system. These pages exist:',
    },
    page: { hq: 'HQ wall', patrol: 'Patrol', drill: 'Drill console', duty: 'Duty', login: 'Sign in', public: 'Tell the duty officer', setup: 'First setup' },
  },
}
