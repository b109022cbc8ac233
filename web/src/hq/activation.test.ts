import { describe, expect, it } from 'vitest'
import { stepOf } from './activation'

describe('what a change of the level is called', () => {
  it('lowers and lifts only what is in force', () => {
    expect(stepOf('none', 'none')).toBe('calm')
    expect(stepOf('blue', 'none')).toBe('lift')
    expect(stepOf('red', 'blue')).toBe('lower')
    expect(stepOf('orange', 'orange')).toBe('same')
    expect(stepOf('none', 'blue')).toBe('raise')
  })
})
