import { describe, expect, it } from 'vitest'
import { chainage, chainageRange, number, parseNumber, percent, quantity } from './number'
import { age, clockTime, day, duration, moment } from './time'

describe('numbers', () => {
  it.each([
    [22000, 0, '22\u2009000'], [999, 0, '999'], [1000, 0, '1\u2009000'], [1234567, 0, '1\u2009234\u2009567'], [0, 0, '0'],
    [92.836, 2, '92.84'], [-1500, 0, '−1\u2009500'], [-0.001, 2, '0.00'], [12345.5, 1, '12\u2009345.5'],
  ])('%d with %d digits is %s', (value, digits, expected) => expect(number(value, digits)).toBe(expected))

  it.each([null, undefined, NaN, Infinity])('%s is a dash', (value) => expect(number(value)).toBe('—'))

  it('gives each quantity its digits', () => {
    expect(quantity(4260.4, 'discharge')).toBe('4\u2009260')
    expect(quantity(92.8, 'stage')).toBe('92.80')
    expect(quantity(3.25, 'rain')).toBe('3.3')
  })

  it.each([['22000', 22000], ['22 000', 22000], ['22,000', 22000], ['２２０００', 22000], [' 4260.5 ', 4260.5], ['22\u2009000', 22000]])(
    'reads %j', (text, expected) => expect(parseNumber(text)).toBe(expected))

  it.each(['', '-', '1e5', '22k', '二万', '0x10', '1.2.3'])('refuses %j', (text) => expect(parseNumber(text)).toBeNull())

  it('never rounds a rate up to all', () => {
    expect(percent(0.999)).toBe('99%')
    expect(percent(1)).toBe('100%')
    expect(percent(0.29)).toBe('29%')
    expect(percent(null)).toBe('—')
  })
})

describe('chainage', () => {
  it.each([[9200, 'K9+200'], [0, 'K0+000'], [14220, 'K14+220'], [999.6, 'K1+000'], [-50, '−K0+050']])('%d m is %s', (metres, expected) =>
    expect(chainage(metres)).toBe(expected))

  it('writes a stretch', () => {
    expect(chainageRange(9200, 9850)).toBe('K9+200–K9+850')
    expect(chainageRange(9200, 9200)).toBe('K9+200')
    expect(chainageRange(undefined, 5)).toBe('')
  })
})

describe('times are those of the river', () => {
  it('shows Beijing time whatever the zone of the reader', () => {
    expect(clockTime('2026-07-28T06:32:08Z')).toBe('14:32:08')
    expect(day('2026-07-27T16:00:00Z')).toBe('2026-07-28')
    expect(clockTime('2026-07-27T16:00:00Z')).toBe('00:00:00')
  })

  it('names the date only when it is another day', () => {
    const now = '2026-07-28T06:32:08Z'
    expect(moment('2026-07-28T06:05:00Z', now)).toBe('14:05')
    expect(moment('2026-07-27T15:59:00Z', now)).toBe('07-27 23:59')
    expect(moment('1958-07-17T16:00:00Z', now)).toMatch(/^1958-07-1[78] /)
    expect(moment(null, now)).toBe('—')
    expect(moment('rubbish', now)).toBe('—')
  })

  it.each([[0, 'now', 0], [59, 'seconds', 59], [60, 'minutes', 1], [3599, 'minutes', 59], [3600, 'hours', 1], [86_400, 'days', 1], [-60, 'ahead', 0]])(
    '%d s is %s %d', (seconds, key, n) => expect(age(seconds)).toEqual({ key, n }))

  it.each([[7, '0:07'], [750, '12:30'], [3900, '1:05:00'], [-3, '0:00']])('%d s runs as %s', (seconds, expected) => expect(duration(seconds)).toBe(expected))
})
