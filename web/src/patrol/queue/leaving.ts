// Signing out must not lose what the server has not got.
import type { PhoneStore } from './storage'
import type { QueueItem } from './item'
import { isUnsent } from './item'

/** Whether `owner` may sign out; otherwise how many items stand in the way. */
export function mayLeave(items: readonly QueueItem[], owner: string, exported: ReadonlySet<string>): { ok: true } | { ok: false; unsent: number } {
  const unsent = items.filter((item) => item.owner === owner && isUnsent(item) && !exported.has(item.id)).length
  return unsent === 0 ? { ok: true } : { ok: false, unsent }
}

/** Everything unsent as one JSON text, pictures included, for handing over by cable or chat. */
export async function exportUnsent(db: PhoneStore, items: readonly QueueItem[], owner: string, nowMs: number): Promise<{ text: string; ids: string[] }> {
  const unsent = items.filter((item) => item.owner === owner && isUnsent(item))
  const out = []
  for (const item of unsent) {
    const photos = await db.getAllFromIndex('photos', 'item', item.id)
    out.push({ ...item, photos: photos.map((photo) => ({ id: photo.id, type: photo.type, base64: base64(photo.full) })) })
  }
  return { text: JSON.stringify({ format: 'anlan-patrol-unsent-1', owner, at: new Date(nowMs).toISOString(), items: out }, null, 1), ids: unsent.map((item) => item.id) }
}

function base64(bytes: ArrayBuffer): string {
  let text = ''
  for (const byte of new Uint8Array(bytes)) text += String.fromCharCode(byte)
  return btoa(text)
}
