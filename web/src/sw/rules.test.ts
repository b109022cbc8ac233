import { describe, expect, it } from 'vitest'
import { cacheName, ruleFor } from './rules'

const files = new Set(['/assets/index-1a2b.js', '/icon.svg'])
const rule = (path: string, mode = 'cors', method = 'GET'): string => ruleFor({ method, mode, url: path }, 'https://anlan.example', files)

describe('ruleFor', () => {
  it.each([
    ['/patrol', 'navigate', 'GET', 'shell'], ['/patrol/', 'navigate', 'GET', 'shell'], ['/patrol?x=1', 'navigate', 'GET', 'shell'], ['/hq', 'navigate', 'GET', 'pass'], ['/login', 'navigate', 'GET', 'pass'],
    ['/patrolling', 'navigate', 'GET', 'pass'], ['/assets/index-1a2b.js', 'cors', 'GET', 'asset'], ['/assets/hq-9.js', 'cors', 'GET', 'pass'], ['/api/v1/tasks?member=me', 'cors', 'GET', 'pass'],
    ['/api/v1/reports', 'cors', 'POST', 'pass'], ['/api/v1/stream', 'cors', 'GET', 'pass'], ['/patrol', 'navigate', 'POST', 'pass'], ['https://elsewhere.example/icon.svg', 'cors', 'GET', 'pass'],
  ])('%s %s %s → %s', (path, mode, method, expected) => { expect(rule(path, mode, method)).toBe(expected) })
})

it('names a cache after its files, in any order', () => {
  expect(cacheName(['/a', '/b'])).toBe(cacheName(['/b', '/a']))
  expect(cacheName(['/a', '/b'])).not.toBe(cacheName(['/a', '/c']))
})
