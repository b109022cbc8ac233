import { describe, expect, it } from 'vitest'
import { keepFor } from './seriesCache'

describe('how long a picture of the river stays good', () => {
  it('is a minute on a real clock and shorter on a fast one', () => {
    expect(keepFor(6, 1)).toBe(60_000)
    expect(keepFor(48, 600)).toBe(5_760)
    expect(keepFor(6, 600)).toBe(1_000)
  })
})
