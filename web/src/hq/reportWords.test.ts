import { expect, test } from 'vitest'
import { codeOfAlarm, hazardName, reportOfAlarm } from './reportWords'

test('a report has the name that people use, or its own word', () => {
  expect(hazardName('piping')).toBe('管涌')
  expect(hazardName('sos')).toBe('求救')
  expect(hazardName('something-new')).toBe('something-new')
})

test('only the alarm of a report leads to one', () => {
  expect(reportOfAlarm('report:rpt-12')).toBe('rpt-12')
  expect(reportOfAlarm('stale:huayuankou.stage')).toBeNull()
  expect(codeOfAlarm('unanswered:B6-012')).toBe('B6-012')
  expect(codeOfAlarm('unowned:B8-006:grid-3:hz-1')).toBe('B8-006')
  expect(codeOfAlarm('report:rpt-12')).toBeNull()
})
