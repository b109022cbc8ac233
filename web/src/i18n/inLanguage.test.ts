import { describe, expect, it } from 'vitest'
import { inLanguage } from './inLanguage'

describe('texts of the server in both languages', () => {
  it('are shown in the language of the page', () => {
    const both = '水动力孪生尚未运行 (the hydraulic twin has not run)'
    expect(inLanguage(both, 'zh-CN')).toBe('水动力孪生尚未运行')
    expect(inLanguage(both, 'en')).toBe('the hydraulic twin has not run')
  })
  it('stay as they are in one language or with a bracket that is no translation', () => {
    for (const text of ['the token is wrong', '角色不对', '流量（60000 m³/s）超限', '读数不可用（raw (2)）']) expect(inLanguage(text, 'en')).toBe(text)
  })
})
