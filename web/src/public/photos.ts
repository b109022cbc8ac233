// What the server takes as a photo of the public, checked before a thin network carries it.

export const PHOTOS_MAX = 3
const BYTES_MAX = 5 << 20
const KINDS = ['image/jpeg', 'image/png']

/** Why a chosen file is not sent; null when it can be. */
export function wrongPhoto(file: { name: string; size: number; type: string }): { why: 'tooLarge' | 'notPicture'; name: string } | null {
  if (!KINDS.includes(file.type)) return { why: 'notPicture', name: file.name }
  return file.size > BYTES_MAX ? { why: 'tooLarge', name: file.name } : null
}
