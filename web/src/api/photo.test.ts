import { describe, expect, it } from 'vitest'
import { fit, PHOTO_LIMIT, PhotoTooLarge, squeeze, THUMB_LIMIT, type Encode, type Size } from './photo'

/** An encoder whose output grows with area and quality, like a camera picture's. */
const encoder = (bytesPerPixel: number, log: Size[] = []) => (size: Size): Encode => async (quality) => {
  log.push(size)
  return new Blob([new Uint8Array(Math.ceil(size.width * size.height * bytesPerPixel * quality))])
}

describe('fit', () => {
  it.each([
    [{ width: 4000, height: 3000 }, { width: 1600, height: 1200 }], [{ width: 3000, height: 4000 }, { width: 1200, height: 1600 }],
    [{ width: 800, height: 600 }, { width: 800, height: 600 }], [{ width: 9000, height: 2 }, { width: 1600, height: 1 }],
  ])('%o → %o', (size, fitted) => { expect(fit(size, PHOTO_LIMIT.long_side)).toEqual(fitted) })
})

describe('squeeze', () => {
  it.each([[PHOTO_LIMIT, 0.05], [PHOTO_LIMIT, 0.4], [THUMB_LIMIT, 0.4], [THUMB_LIMIT, 2]])('meets %o at %d bytes per pixel', async (limit, bytesPerPixel) => {
    const { blob, size } = await squeeze({ width: 4000, height: 3000 }, limit, encoder(bytesPerPixel))
    expect(blob.size).toBeLessThanOrEqual(limit.bytes)
    expect(Math.max(size.width, size.height)).toBeLessThanOrEqual(limit.long_side)
  })
  it('lowers the quality before the size', async () => {
    const sizes: Size[] = []
    await squeeze({ width: 1600, height: 1200 }, PHOTO_LIMIT, encoder(0.3, sizes))
    expect(new Set(sizes.map((size) => size.width))).toEqual(new Set([1600]))
    expect(sizes.length).toBeGreaterThan(1)
  })
  it('needs few tries, also for a picture full of noise', async () => {
    const sizes: Size[] = []
    await squeeze({ width: 4000, height: 3000 }, PHOTO_LIMIT, encoder(3, sizes))
    expect(new Set(sizes.map((size) => size.width)).size).toBeLessThanOrEqual(3)
  })
  it('says so when nothing helps', async () => {
    const header = (): Encode => async () => new Blob([new Uint8Array(700)])
    await expect(squeeze({ width: 4000, height: 3000 }, { long_side: 1600, bytes: 600 }, header)).rejects.toThrow(PhotoTooLarge)
  })
})
