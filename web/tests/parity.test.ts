import { describe, expect, it } from 'vitest'
import { shared } from '@/i18n/messages'
import type { Messages } from '@/i18n'

const rooms = import.meta.glob<{ messages: Messages }>('../src/*/messages.ts', { eager: true })
const all: [string, Messages][] = [
  ['shared', shared],
  ...Object.entries(rooms).filter(([path]) => !path.includes('/i18n/')).map(([path, room]): [string, Messages] => [path, room.messages]),
]

function flatten(tree: Record<string, unknown>, prefix = ''): Map<string, string> {
  const flat = new Map<string, string>()
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === 'string') flat.set(prefix + key, value)
    else for (const [inner, text] of flatten(value as Record<string, unknown>, `${prefix}${key}.`)) flat.set(inner, text)
  }
  return flat
}

const holes = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '').sort()

describe.each(all)('texts of %s', (_, messages) => {
  const zh = flatten(messages['zh-CN'])
  const en = flatten(messages.en)

  it('has the same keys in both languages', () => {
    expect([...en.keys()].sort()).toEqual([...zh.keys()].sort())
  })

  it('has no empty text and the same placeholders', () => {
    for (const [key, text] of zh) {
      expect(text.trim(), key).not.toBe('')
      expect(en.get(key)?.trim(), key).not.toBe('')
      expect(holes(en.get(key) ?? ''), key).toEqual(holes(text))
    }
  })
})
