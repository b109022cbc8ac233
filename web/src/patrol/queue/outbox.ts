// The outbox of the phone: everything the user does goes through here and leaves only when the server has confirmed it.
// In: drafts from the screens. Out: requests in a fixed order, one at a time. It refuses to send under another name and
// to grow without bound; it never drops an unsent item by itself.
import { advance, byAge, isPending, isUnsent, nextDue, stepsOf, type ItemBody, type ItemEvent, type ItemKind, type QueueItem, type Refusal, type TaskMove } from './item'
import { judge } from './retry'
import { send, type Fetch } from './transport'
import type { PhoneStore, StoredPhoto } from './storage'
import { ulid } from './ulid'

export const MOST_UNSENT = 200
export const MOST_PHOTOS = 6
const KEEP_SETTLED_MS = 24 * 3600_000

export interface Wiring {
  db: PhoneStore
  fetcher: Fetch
  now: () => number
  /** Runs `work` in one tab at a time; others wait in line. Default: the Web Locks of the browser. */
  alone?: (work: () => Promise<void>) => Promise<void>
}

export interface NewItem {
  kind: ItemKind
  subject?: string
  label: { zh: string; en: string }
  drill: boolean
  body: ItemBody
  photos?: Omit<StoredPhoto, 'item'>[]
  attach_to?: string
  id?: string // given by a form when it opened, so that a double tap is one report
}

/** The outbox is full: the caller must say so. */
export class OutboxFull extends Error {
  constructor() {
    super(`${MOST_UNSENT} items are waiting on this phone; none may be added before some are sent`)
    this.name = 'OutboxFull'
  }
}

/** Nothing goes out from here any more: the drill that it spoke to has ended. */
export class OutboxEnded extends Error {
  constructor() {
    super('the drill has ended; nothing may be added for it')
    this.name = 'OutboxEnded'
  }
}

export class Outbox {
  #items = new Map<string, QueueItem>()
  #listeners = new Set<() => void>()
  #flushing: Promise<void> | null = null
  #again = false
  #owner = ''
  #ended: Refusal | null = null
  /** The last answer was 401: the user must sign in before anything can go. */
  needsSignIn = false
  /** Whether the last request got any answer; null before the first. */
  reached: boolean | null = null

  private constructor(private readonly wiring: Wiring) {}

  /** Opens the outbox; requests cut off by a reload are queued again. */
  static async open(wiring: Wiring): Promise<Outbox> {
    const outbox = new Outbox(wiring)
    await outbox.#load()
    for (const item of outbox.all()) if (item.state === 'sending') await outbox.#move(item, { type: 'interrupted' })
    await outbox.#prune()
    return outbox
  }

  /** Whose items may go. '' = nobody signed in: nothing is sent. */
  set owner(name: string) {
    this.#owner = name
    this.needsSignIn = false
  }
  get owner(): string { return this.#owner }

  /** All items of this phone, oldest first. */
  all(): QueueItem[] { return [...this.#items.values()].sort(byAge) }
  /** Items of the signed-in account that the server does not have yet. */
  unsent(): QueueItem[] { return this.all().filter((item) => isUnsent(item) && item.owner === this.#owner) }
  get(id: string): QueueItem | undefined { return this.#items.get(id) }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Stores an item and starts sending. The same form or the same answer to the same task is stored once. */
  async add(wanted: NewItem): Promise<QueueItem> {
    if (this.#ended) throw new OutboxEnded()
    const twin = this.#twinOf(wanted)
    if (twin) return twin
    if (this.all().filter(isUnsent).length >= MOST_UNSENT && wanted.kind !== 'sos') throw new OutboxFull()
    const newest = Math.max(0, ...this.all().map((item) => item.created_ms))
    const now = Math.max(this.wiring.now(), newest + 1) // also when the phone's clock was set back: order is kept
    const id = wanted.id ?? ulid(now)
    const photos = (wanted.photos ?? []).slice(0, MOST_PHOTOS).map((photo) => ({ ...photo, item: id }))
    const item: QueueItem = {
      id, key: id, owner: this.#owner, kind: wanted.kind, subject: wanted.subject ?? '', label: wanted.label, drill: wanted.drill,
      body: wanted.body, photos: photos.map((photo) => photo.id), attach_to: wanted.attach_to ?? '', sent: 0, state: 'queued',
      created_ms: now, settled_ms: null, attempts: 0, retry_ms: 0, refusal: null, server_id: '',
    }
    const write = this.wiring.db.transaction(['items', 'photos'], 'readwrite')
    for (const photo of photos) void write.objectStore('photos').put(photo)
    void write.objectStore('items').put(plain(item))
    await write.done // on disk before the screen says 待发
    this.#items.set(id, item)
    this.#changed()
    void this.flush()
    return item
  }

  /** Sends what is due, until nothing is. Calls while it runs make it look again. `urgent` forgets the waiting times. */
  flush(urgent = false): Promise<void> {
    if (this.#flushing) {
      this.#again = true
      return this.#flushing
    }
    const alone = this.wiring.alone ?? inOneTab
    this.#flushing = alone(async () => {
      await this.#load()
      if (this.#ended) return
      if (urgent) await this.#forgetWaits()
      do {
        this.#again = false
        await this.#drain()
      } while (this.#again)
    }).finally(() => { this.#flushing = null })
    return this.#flushing
  }

  /** Takes and sends nothing from now on: what waits stays on the phone as refused, with the reason. What was sent stands. */
  async end(reason: Refusal): Promise<void> {
    if (this.#ended) return
    this.#ended = reason
    await this.#flushing
    for (const item of this.all()) {
      if (item.state === 'queued') await this.#move(await this.#move(item, { type: 'start' }), { type: 'refused', refusal: reason, now_ms: this.wiring.now() })
    }
  }

  /** When the next try is due, in ms since 1970; null when nothing waits. */
  nextTry(): number | null {
    const waiting = this.all().filter((item) => isPending(item) && item.owner === this.#owner)
    return waiting.length === 0 ? null : Math.min(...waiting.map((item) => item.retry_ms))
  }

  /** Headquarters has looked at it. Unknown ids are other people's. */
  async markSeen(serverId: string): Promise<void> {
    for (const item of this.all()) {
      if (serverId !== '' && item.server_id === serverId && item.state === 'delivered') await this.#move(item, { type: 'seen' })
    }
  }

  /** Corrects a refused item and queues it again. */
  async edit(id: string, body: ItemBody): Promise<void> {
    await this.#moveById(id, { type: 'edit', body, fresh_key: ulid(this.wiring.now()) })
    void this.flush()
  }

  /** Queues a refused item again as it is. */
  async resend(id: string): Promise<void> {
    await this.#moveById(id, { type: 'resend', fresh_key: ulid(this.wiring.now()) })
    void this.flush()
  }

  /** Throws a refused item away: the user's decision, never ours. */
  async discard(id: string): Promise<void> {
    const item = this.#items.get(id)
    if (item?.state !== 'failed') throw new Error(`item ${id} is ${item?.state ?? 'unknown'}: only a refused one may be thrown away`)
    await this.#remove(item)
    this.#changed()
  }

  /** The pictures of an item, for the screen and for export. */
  photosOf(id: string): Promise<StoredPhoto[]> { return this.wiring.db.getAllFromIndex('photos', 'item', id) }

  #twinOf(wanted: NewItem): QueueItem | undefined {
    if (wanted.id !== undefined && this.#items.has(wanted.id)) return this.#items.get(wanted.id)
    if (wanted.kind === 'report' || wanted.kind === 'sos') return undefined
    return this.all().find((item) => item.kind === (wanted.kind as TaskMove) && item.subject === wanted.subject && item.owner === this.#owner && item.state !== 'failed')
  }

  async #drain(): Promise<void> {
    while (this.#owner !== '' && !this.needsSignIn && !this.#ended) {
      const mine = this.all().filter((item) => item.owner === this.#owner)
      const item = nextDue(mine, this.wiring.now())
      if (item === undefined) return
      const went = await this.#sendOne(await this.#move(item, { type: 'start' }))
      if (!went) return
    }
  }

  /** One request. False = no use going on now. */
  async #sendOne(item: QueueItem): Promise<boolean> {
    const step = stepsOf(item)[item.sent]
    if (step === undefined) {
      await this.#move(item, { type: 'step-confirmed', server_id: item.server_id, now_ms: this.wiring.now() })
      return true
    }
    const photo = step.part === 'text' ? undefined : await this.wiring.db.get('photos', step.photo)
    if (step.part !== 'text' && photo === undefined) {
      const refusal = { status: 0, title: 'picture missing', detail: `picture ${step.photo} is no longer on this phone`, field: 'photo' }
      await this.#move(item, { type: 'refused', refusal, now_ms: this.wiring.now() })
      return true
    }
    const answer = await send(this.wiring.fetcher, item, step, photo)
    this.reached = answer.kind === 'http'
    const verdict = judge(answer, item.attempts, step.part === 'text' && (item.kind === 'report' || item.kind === 'sos'))
    const now = this.wiring.now()
    switch (verdict.kind) {
      case 'confirmed':
        await this.#move(item, { type: 'step-confirmed', server_id: step.part === 'text' ? verdict.server_id : item.server_id || item.attach_to, now_ms: now })
        // Headquarters may look while the photos are still on their way; the answer to the last of them tells.
        if (answer.kind === 'http' && lookedAt(answer.body)) await this.markSeen(item.server_id || verdict.server_id)
        return true
      case 'refused':
        await this.#move(item, { type: 'refused', refusal: verdict.refusal, now_ms: now })
        return true
      case 'later':
        this.needsSignIn = verdict.sign_in
        await this.#move(item, { type: 'try-later', retry_ms: now + verdict.after_ms, refusal: verdict.refusal })
        return answer.kind === 'http' && !verdict.sign_in // the network works: others may go
    }
  }

  async #forgetWaits(): Promise<void> {
    for (const item of this.all()) if (item.state === 'queued' && item.retry_ms > 0) await this.#store({ ...item, retry_ms: 0 })
  }

  async #moveById(id: string, event: ItemEvent): Promise<void> {
    const item = this.#items.get(id)
    if (item === undefined) throw new Error(`no item ${id} on this phone`)
    await this.#move(item, event)
  }

  async #move(item: QueueItem, event: ItemEvent): Promise<QueueItem> {
    const next = advance(this.#items.get(item.id) ?? item, event)
    await this.#store(next)
    return next
  }

  async #store(item: QueueItem): Promise<void> {
    await this.wiring.db.put('items', plain(item))
    this.#items.set(item.id, item)
    this.#changed()
  }

  async #load(): Promise<void> {
    const stored = await this.wiring.db.getAll('items')
    this.#items = new Map(stored.map((item) => [item.id, item]))
  }

  /** Delivered items are shown for a day, then make room. */
  async #prune(): Promise<void> {
    const before = this.wiring.now() - KEEP_SETTLED_MS
    for (const item of this.all()) {
      if ((item.state === 'delivered' || item.state === 'seen') && (item.settled_ms ?? 0) < before) await this.#remove(item)
    }
  }

  async #remove(item: QueueItem): Promise<void> {
    const write = this.wiring.db.transaction(['items', 'photos'], 'readwrite')
    for (const photo of item.photos) void write.objectStore('photos').delete(photo)
    void write.objectStore('items').delete(item.id)
    await write.done
    this.#items.delete(item.id)
  }

  #changed(): void { for (const listener of this.#listeners) listener() }
}

/** A copy without the proxies of the screen, which the store cannot hold. */
function plain(item: QueueItem): QueueItem {
  return JSON.parse(JSON.stringify(item)) as QueueItem
}

async function inOneTab(work: () => Promise<void>): Promise<void> {
  if (typeof navigator === 'undefined' || !('locks' in navigator) || navigator.locks === undefined) return work()
  await navigator.locks.request('anlan-patrol-outbox', work)
}

/** Whether an answer is a report that somebody at headquarters has opened. */
function lookedAt(body: unknown): boolean {
  return typeof body === 'object' && body !== null && typeof (body as { seen_by?: unknown }).seen_by === 'string'
}
