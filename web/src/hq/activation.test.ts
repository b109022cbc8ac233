import { describe, expect, it } from 'vitest'
import type { Task } from '@/api/types'
import { endedBy, stepOf } from './activation'

describe('what a change of the level is called', () => {
  it('lowers and lifts only what is in force', () => {
    expect(stepOf('none', 'none')).toBe('calm')
    expect(stepOf('blue', 'none')).toBe('lift')
    expect(stepOf('red', 'blue')).toBe('lower')
    expect(stepOf('orange', 'orange')).toBe('same')
    expect(stepOf('none', 'blue')).toBe('raise')
  })
})

it('counts the orders that a lowering ends', () => {
  const task = (phase: string, level: string, status: string): Task => ({ phase, level, status }) as Task
  const tasks = [task('respond', 'red', 'issued'), task('respond', 'red', 'on-site'), task('respond', 'red', 'done'), task('respond', 'red', 'draft'), task('respond', 'blue', 'issued'), task('alert', 'red', 'issued')]
  expect(endedBy(tasks, 'blue')).toBe(2)
  expect(endedBy(tasks, 'none')).toBe(3)
  expect(endedBy(tasks, 'red')).toBe(0)
})
