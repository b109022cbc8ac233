import type { Messages } from '@/i18n'

export const messages: Messages = {
  'zh-CN': {
    login: {
      name: '账号', password: '密码', submit: '登录', busy: '正在登录…',
      linkFault: '一次性链接不能用了：{why}。请用账号登录，或在启动程序的窗口取新链接。',
      wrong: '账号或密码不对',
    },
    setup: {
      intro: '这是第一次启动。把启动窗口里打印的一次性口令填在下面，创建管理员。口令用过即作废，系统没有默认密码。',
      token: '一次性口令', name: '管理员账号', password: '密码（至少 10 个字符）', again: '再输一遍密码', submit: '创建管理员',
      short: '密码至少 10 个字符，现在是 {n} 个', differ: '两次输入的密码不同', missing: '请填写{what}',
      done: '管理员已创建，并已登录。',
    },
  },
  en: {
    login: {
      name: 'Account', password: 'Password', submit: 'Sign in', busy: 'Signing in…',
      linkFault: 'The one-time link does not work any more: {why}. Sign in with an account, or take a new link from the window where the program was started.',
      wrong: 'The account or the password is wrong',
    },
    setup: {
      intro: 'This is the first start. Enter the one-time token that the program printed, and create the administrator. A token works once; there is no default password.',
      token: 'One-time token', name: 'Administrator account', password: 'Password (at least 10 characters)', again: 'Password again', submit: 'Create administrator',
      short: 'The password needs at least 10 characters, it has {n}', differ: 'The two passwords differ', missing: 'Please fill in: {what}',
      done: 'The administrator has been created and is signed in.',
    },
  },
}
