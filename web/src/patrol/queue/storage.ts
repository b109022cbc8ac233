// The phone's own store: unsent items, their pictures, and the last known tasks. IndexedDB through `idb`.
import { openDB, type DBSchema, type IDBPDatabase } from 'idb'
import type { QueueItem } from './item'

/** One picture in two sizes; bytes rather than Blobs, which some phone browsers lose. */
export interface StoredPhoto { id: string; item: string; type: string; thumb: ArrayBuffer; full: ArrayBuffer; width: number; height: number }

interface Tables extends DBSchema {
  items: { key: string; value: QueueItem }
  photos: { key: string; value: StoredPhoto; indexes: { item: string } }
  kept: { key: string; value: { key: string; at_ms: number; value: unknown } }
}

export type PhoneStore = IDBPDatabase<Tables>

/** Opens (or makes) the store. `name` differs only in tests. */
export function openStore(name = 'anlan-patrol'): Promise<PhoneStore> {
  return openDB<Tables>(name, 1, {
    upgrade(db) {
      db.createObjectStore('items', { keyPath: 'id' })
      db.createObjectStore('photos', { keyPath: 'id' }).createIndex('item', 'item')
      db.createObjectStore('kept', { keyPath: 'key' })
    },
    // A newer page wants to upgrade: let it.
    blocking(_current, _blocked, event) { (event.target as IDBDatabase).close() },
  })
}

/** Keeps a copy of something fetched, so that the page opens without network. */
export async function keep(db: PhoneStore, key: string, value: unknown, nowMs: number): Promise<void> {
  await db.put('kept', { key, at_ms: nowMs, value: JSON.parse(JSON.stringify(value)) as unknown })
}

/** What was kept, with its age; undefined when never kept. */
export async function recall<T>(db: PhoneStore, key: string): Promise<{ at_ms: number; value: T } | undefined> {
  const row = await db.get('kept', key)
  return row === undefined ? undefined : { at_ms: row.at_ms, value: row.value as T }
}

/** Forgets copies of fetched things (sign-out); unsent items stay. */
export async function forgetKept(db: PhoneStore): Promise<void> {
  await db.clear('kept')
}
