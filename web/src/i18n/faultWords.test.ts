import { describe, expect, it } from 'vitest'
import { ApiError } from '@/api/client'
import { faultWords } from './faultWords'

const silence = { type: 'about:blank', title: 'no answer', status: 0, detail: '' }

describe('faultWords', () => {
  it('tells what a person sent apart from what the page reads', () => {
    expect(faultWords(new ApiError(silence, true))).toMatch(/可能没有发出.*再按一次/)
    expect(faultWords(new ApiError(silence))).toMatch(/正在自动重试/)
  })
  it('gives the words of the server in one language', () => {
    expect(faultWords(new ApiError({ ...silence, status: 422, detail: '须为 1 至 3 (1 to 3)' }))).toBe('须为 1 至 3')
    expect(faultWords(new ApiError({ ...silence, title: '', status: 502 }))).toMatch(/502/)
  })
  it('has words for whatever is thrown', () => {
    expect(faultWords(new DOMException('', 'TimeoutError'))).toMatch(/没有按时回答/)
    expect(faultWords(undefined)).toMatch(/页面出错/)
  })
})
