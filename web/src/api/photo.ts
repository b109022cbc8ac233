// Makes a picture small enough for a poor network: 1600 px and 300 KB for the photo, 40 KB for its thumbnail.

export interface Size { width: number; height: number }
export interface Limit { long_side: number; bytes: number }
export const PHOTO_LIMIT: Limit = { long_side: 1600, bytes: 300 * 1024 }
export const THUMB_LIMIT: Limit = { long_side: 320, bytes: 40 * 1024 }

/** `size` scaled down (never up) so that its long side fits. At least 1 px. */
export function fit(size: Size, longSide: number): Size {
  const scale = Math.min(1, longSide / Math.max(size.width, size.height))
  return { width: Math.max(1, Math.round(size.width * scale)), height: Math.max(1, Math.round(size.height * scale)) }
}

const QUALITIES = [0.82, 0.66, 0.5, 0.34]
const LEAST_SHRINK = 0.85
const MOST_SHRINKS = 8

/** Encodes one drawing at a quality from 0 to 1. */
export type Encode = (quality: number) => Promise<Blob>

/** Encodes with falling quality, then falling size, until the bytes fit. `draw` is asked once for each size. */
export async function squeeze(size: Size, limit: Limit, draw: (size: Size) => Encode): Promise<{ blob: Blob; size: Size }> {
  let target = fit(size, limit.long_side)
  let least = Number.POSITIVE_INFINITY
  for (let shrink = 0; shrink <= MOST_SHRINKS; shrink++) {
    const encode = draw(target)
    for (const quality of QUALITIES) {
      const blob = await encode(quality)
      if (blob.size <= limit.bytes) return { blob, size: target }
      least = blob.size
    }
    // Bytes go about with the area: aim a little below the limit at once instead of feeling the way down.
    const scale = Math.min(LEAST_SHRINK, Math.sqrt(limit.bytes / least) * 0.97)
    target = fit(target, Math.max(target.width, target.height) * scale)
  }
  throw new PhotoTooLarge(limit.bytes, least)
}

export class PhotoTooLarge extends Error {
  constructor(limit: number, got: number) {
    super(`the picture stays at ${got} bytes, over ${limit}`)
    this.name = 'PhotoTooLarge'
  }
}

export interface Shrunk { type: string; thumb: ArrayBuffer; full: ArrayBuffer; width: number; height: number }

/** Shrinks a file from the camera. Redrawing also drops its EXIF data. */
export async function shrink(file: Blob): Promise<Shrunk> {
  const image = await createImageBitmap(file, { imageOrientation: 'from-image' })
  try {
    const draw = (size: Size): Encode => drawn(image, size)
    const full = await squeeze(image, PHOTO_LIMIT, draw)
    const thumb = await squeeze(image, THUMB_LIMIT, draw)
    return { type: 'image/jpeg', full: await full.blob.arrayBuffer(), thumb: await thumb.blob.arrayBuffer(), ...full.size }
  } finally {
    image.close()
  }
}

function drawn(image: ImageBitmap, size: Size): Encode {
  const canvas = document.createElement('canvas')
  canvas.width = size.width
  canvas.height = size.height
  const pen = canvas.getContext('2d')
  if (pen === null) throw new Error('this browser has no 2D canvas')
  pen.fillStyle = '#fff' // JPEG knows no transparency
  pen.fillRect(0, 0, size.width, size.height)
  pen.drawImage(image, 0, 0, size.width, size.height)
  return (quality) => new Promise((resolve, reject) => {
    canvas.toBlob((blob) => { if (blob) resolve(blob); else reject(new Error('the picture cannot be encoded')) }, 'image/jpeg', quality)
  })
}
