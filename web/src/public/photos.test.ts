import { describe, expect, it } from 'vitest'
import { wrongPhoto } from './photos'

describe('wrongPhoto', () => {
  it('names the file and why it is not sent', () => {
    const file = (size: number, type: string) => ({ name: 'a', size, type })
    expect(wrongPhoto(file(5 << 20, 'image/jpeg'))).toBeNull()
    expect(wrongPhoto(file((5 << 20) + 1, 'image/png'))).toEqual({ why: 'tooLarge', name: 'a' })
    expect(wrongPhoto(file(10, 'image/heic'))).toEqual({ why: 'notPicture', name: 'a' })
    expect(wrongPhoto(file(10, ''))).toEqual({ why: 'notPicture', name: 'a' })
  })
})
