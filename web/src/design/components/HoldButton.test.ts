import { mount } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import HoldButton from './HoldButton.vue'

describe('a button that must be held', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())
  const make = (props = {}) => mount(HoldButton, { props: { holdMs: 1500, ...props }, slots: { default: '按住' } })

  it('acts after the time and once', async () => {
    const button = make()
    await button.trigger('pointerdown', { button: 0 })
    vi.advanceTimersByTime(1499)
    expect(button.emitted('held')).toBeUndefined()
    vi.advanceTimersByTime(1)
    expect(button.emitted('held')).toHaveLength(1)
    await button.trigger('pointerup')
    vi.advanceTimersByTime(5000)
    expect(button.emitted('held')).toHaveLength(1)
    expect(button.emitted('released')).toBeUndefined()
  })

  it.each(['pointerup', 'pointerleave', 'pointercancel', 'blur'])('does nothing when %s comes early', async (event) => {
    const button = make()
    await button.trigger('pointerdown', { button: 0 })
    vi.advanceTimersByTime(1000)
    await button.trigger(event)
    vi.advanceTimersByTime(5000)
    expect(button.emitted('held')).toBeUndefined()
    expect(button.emitted('released')).toHaveLength(1)
  })

  it('is held by a key whose repeats do not start it anew', async () => {
    const button = make()
    await button.trigger('keydown', { key: 'Enter' })
    vi.advanceTimersByTime(800)
    await button.trigger('keydown', { key: 'Enter', repeat: true })
    vi.advanceTimersByTime(700)
    expect(button.emitted('held')).toHaveLength(1)
  })

  it('does nothing when disabled, with the other mouse button, or after it is gone', async () => {
    const off = make({ disabled: true })
    await off.trigger('pointerdown', { button: 0 })
    const other = make()
    await other.trigger('pointerdown', { button: 2 })
    const gone = make()
    await gone.trigger('pointerdown', { button: 0 })
    gone.unmount()
    vi.advanceTimersByTime(5000)
    for (const button of [off, other, gone]) expect(button.emitted('held')).toBeUndefined()
  })
})
