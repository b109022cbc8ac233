// The live line to the server. Events come in the order of the journal and at most four batches a second reach
// the screen. One step of the journal may change several things: its events share one number, and a `situation`
// closes it. A cut in the middle of a step is healed by asking for that step again; applying it twice is harmless,
// because every event carries the whole of what it names. When the line is cut the page says so and asks every 15 s instead.
//
// It reads the stream with `fetch` and not with EventSource, because only so can it send Last-Event-ID after a
// refusal, see a sign-out (401), and notice a line that is open but silent.
import { seated } from './seat'
import { SseParser, type SseMessage } from './sse'
import type { StreamEvent } from './types'

export type LinkState = 'ok' | 'degraded' | 'down'

export interface StreamTiming {
  flush_ms: number      // shortest time between two batches
  silence_ms: number    // an open line that says nothing for so long is opened anew
  grace_ms: number      // a cut shorter than this is not shown
  poll_ms: number       // how often to ask while the line is cut
  retry_ms: number[]    // waits between attempts; the last repeats
}

export interface StreamOptions {
  url: string
  /** A batch in order. */
  apply: (events: StreamEvent[]) => void
  /** Reads everything anew; called after a gap that cannot be replayed, and to poll. Rejects when the server is away. */
  reload: () => Promise<void>
  state: (state: LinkState) => void
  /** The session has ended. */
  signedOut?: () => void
  timing?: Partial<StreamTiming>
  fetch?: typeof fetch
}

const TIMING: StreamTiming = { flush_ms: 250, silence_ms: 7_000, grace_ms: 1_500, poll_ms: 15_000, retry_ms: [500, 1_000, 2_000, 4_000, 8_000] }
/** More waiting events than this are dropped together and everything is read anew. */
const QUEUE_LIMIT = 5_000

type Timer = ReturnType<typeof setTimeout>

export class LiveStream {
  private readonly timing: StreamTiming
  /** Number of the newest event heard. */
  private lastId: number | null = null
  /** Newest step that is known to be complete. */
  private completeId: number | null = null
  private queue: StreamEvent[] = []
  private flushTimer: Timer | null = null
  private flushedAt = -Infinity
  private retryTimer: Timer | null = null
  private graceTimer: Timer | null = null
  private pollTimer: Timer | null = null
  private silenceTimer: Timer | null = null
  private attempt = 0
  private open: AbortController | null = null
  private stopped = true
  private shown: LinkState | null = null

  constructor(private readonly options: StreamOptions) {
    this.timing = { ...TIMING, ...options.timing }
  }

  /** Opens the line. Events after `lastId` are replayed by the server. */
  start(lastId: number | null = null): void {
    this.stopped = false
    this.lastId = this.completeId = lastId
    void this.connect()
  }

  stop(): void {
    this.stopped = true
    this.open?.abort()
    for (const timer of [this.flushTimer, this.retryTimer, this.graceTimer, this.pollTimer, this.silenceTimer]) if (timer) clearTimeout(timer)
    this.flushTimer = this.retryTimer = this.graceTimer = this.pollTimer = this.silenceTimer = null
    this.queue = []
  }

  /** Forgets the number of the last event: the server began a new journal. */
  forget(): void {
    this.lastId = this.completeId = null
  }

  /** Tries again at once, for example when the device is back on the network. */
  hurry(): void {
    if (this.stopped || !this.retryTimer) return
    clearTimeout(this.retryTimer)
    this.retryTimer = null
    void this.connect()
  }

  /** Opens the line anew, for example when the device says that it left the network. */
  doubt(): void {
    this.open?.abort()
  }

  private async connect(): Promise<void> {
    const open = new AbortController()
    this.open = open
    try {
      this.listenForSilence()
      const headers: Record<string, string> = { Accept: 'text/event-stream' }
      if (this.completeId !== null) headers['Last-Event-ID'] = String(this.completeId)
      const call = this.options.fetch ?? fetch
      const response = await call(this.options.url, seated({ headers, signal: open.signal, credentials: 'same-origin' as const, cache: 'no-store' as const }))
      if (response.status === 401) {
        this.stop()
        this.options.signedOut?.()
        return
      }
      if (!response.ok || !response.body) throw new Error(`stream answered ${response.status}`)
      this.connected()
      await this.read(response.body)
    } catch {
      // Every way to lose the line leads to the same place; the reason is not something a viewer can act on.
    }
    if (!this.stopped && this.open === open) this.lost()
  }

  private async read(body: ReadableStream<Uint8Array>): Promise<void> {
    const parser = new SseParser()
    const decoder = new TextDecoder()
    const reader = body.getReader()
    for (;;) {
      const { done, value } = await reader.read()
      if (done || this.stopped) return
      this.listenForSilence()
      for (const message of parser.push(decoder.decode(value, { stream: true }))) this.receive(message)
    }
  }

  /** Takes one message; numbers below the last one were seen before. */
  private receive(message: SseMessage): void {
    const id = message.id !== null && /^\d+$/.test(message.id) ? Number(message.id) : null
    if (message.event === 'resync') {
      this.queue = []
      this.lastId = this.completeId = id
      void this.reload()
      return
    }
    if (id !== null) {
      if (this.lastId !== null && id < this.lastId) return
      // A higher number ends the step before it; a situation ends its own.
      if (message.event === 'situation') this.completeId = id
      else if (this.lastId !== null && id > this.lastId) this.completeId = this.lastId
      this.lastId = id
    }
    const event = parse(message)
    if (!event) return
    if (this.queue.length >= QUEUE_LIMIT) {
      this.queue = []
      void this.reload()
      return
    }
    this.queue.push(event)
    this.scheduleFlush()
  }

  private scheduleFlush(): void {
    if (this.flushTimer) return
    const wait = Math.max(0, this.flushedAt + this.timing.flush_ms - Date.now())
    this.flushTimer = setTimeout(() => {
      this.flushTimer = null
      this.flushedAt = Date.now()
      const batch = this.queue
      this.queue = []
      if (batch.length > 0) this.options.apply(batch)
    }, wait)
  }

  private async reload(): Promise<void> {
    try {
      await this.options.reload()
    } catch {
      this.show('down')
      this.beginPolling()
    }
  }

  private connected(): void {
    this.attempt = 0
    if (this.graceTimer) clearTimeout(this.graceTimer)
    if (this.pollTimer) clearTimeout(this.pollTimer)
    this.graceTimer = this.pollTimer = null
    this.show('ok')
  }

  private lost(): void {
    if (this.silenceTimer) clearTimeout(this.silenceTimer)
    if (!this.graceTimer && !this.pollTimer) {
      this.graceTimer = setTimeout(() => {
        this.graceTimer = null
        if (this.shown !== 'down') this.show('degraded')
        this.poll()
      }, this.timing.grace_ms)
    }
    const waits = this.timing.retry_ms
    const wait = waits[Math.min(this.attempt, waits.length - 1)] ?? 1_000
    this.attempt += 1
    this.retryTimer = setTimeout(() => {
      this.retryTimer = null
      void this.connect()
    }, wait)
  }

  private beginPolling(): void {
    if (!this.pollTimer && !this.stopped) this.pollTimer = setTimeout(() => this.poll(), this.timing.poll_ms)
  }

  private poll(): void {
    this.pollTimer = null
    this.options.reload().then(
      () => this.polled(true),
      () => this.polled(false),
    )
  }

  private polled(reached: boolean): void {
    const cut = this.retryTimer !== null || this.shown !== 'ok'
    if (this.stopped || !cut) return
    // The line may have come back while the question was under way.
    if (this.isOpen && reached) this.show('ok')
    else {
      this.show(reached ? 'degraded' : 'down')
      this.beginPolling()
    }
  }

  private get isOpen(): boolean {
    return this.attempt === 0
  }

  private listenForSilence(): void {
    if (this.silenceTimer) clearTimeout(this.silenceTimer)
    this.silenceTimer = setTimeout(() => this.open?.abort(), this.timing.silence_ms)
  }

  private show(state: LinkState): void {
    if (this.shown === state) return
    this.shown = state
    this.options.state(state)
  }
}

const KNOWN = new Set(['situation', 'proposal', 'activation', 'task', 'report', 'alarm', 'leave'])

function parse(message: SseMessage): StreamEvent | null {
  if (!KNOWN.has(message.event)) return null
  try {
    return { event: message.event, data: JSON.parse(message.data) } as StreamEvent
  } catch {
    return null
  }
}
