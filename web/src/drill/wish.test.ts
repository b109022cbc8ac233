import { describe, expect, it } from 'vitest'
import { fieldNumber, localInput, ofLocalInput } from './wish'

describe('moments of a form', () => {
  it('are wall time of the river, there and back', () => {
    expect(localInput('1958-07-16T10:00:00Z')).toBe('1958-07-16T18:00')
    expect(ofLocalInput('1958-07-16T18:00')).toBe('1958-07-16T10:00:00.000Z')
    expect(localInput('soon')).toBe('')
    expect(ofLocalInput('')).toBeUndefined()
  })
})

describe('numbers of a form', () => {
  it('are absent when the field is empty or holds none', () => {
    expect([fieldNumber(''), fieldNumber(' '), fieldNumber('x'), fieldNumber('2.5'), fieldNumber(0)]).toEqual([undefined, undefined, undefined, 2.5, 0])
  })
})
