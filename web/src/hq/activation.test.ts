import { describe, expect, it } from 'vitest'
import { stepOf, wished } from './activation'

describe('what a change of the level is called', () => {
  it('lowers and lifts only what is in force', () => {
    expect(stepOf('none', 'none')).toBe('calm')
    expect(stepOf('blue', 'none')).toBe('lift')
    expect(stepOf('red', 'blue')).toBe('lower')
    expect(stepOf('orange', 'orange')).toBe('same')
    expect(stepOf('none', 'blue')).toBe('raise')
  })
})

describe('what the water asks for', () => {
  const told = { since: null, reason: { zh: '', en: '' }, proposed_reason: { zh: '', en: '' }, flapping: false, prepare_for_m3s: null }
  it('is no lowering while people have put more in force than the water ever asked for', () => {
    expect(wished({ ...told, in_force: 'red', proposed: 'blue', lowering: false })).toBe('red')
    expect(wished({ ...told, in_force: 'red', proposed: 'blue', lowering: true })).toBe('blue')
    expect(wished({ ...told, in_force: 'blue', proposed: 'red', lowering: false })).toBe('red')
  })
})
