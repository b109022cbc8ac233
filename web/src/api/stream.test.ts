import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SseParser } from './sse'
import { LiveStream, type LinkState } from './stream'
import type { StreamEvent } from './types'

describe('SSE', () => {
  it('reads messages whatever the pieces they come in', () => {
    const text = 'id: 7\r\nevent: task\r\ndata: {"a":\r\ndata: 1}\r\n\r\n: keep-alive\n\nid: 8\ndata:x\n\n'
    for (const size of [1, 2, 3, 7, 1000]) {
      const parser = new SseParser()
      const got = []
      for (let i = 0; i < text.length; i += size) got.push(...parser.push(text.slice(i, i + size)))
      expect(got).toEqual([{ id: '7', event: 'task', data: '{"a":\n1}' }, { id: '8', event: 'message', data: 'x' }])
    }
  })
})

/** A server whose answers the test writes. */
class Wire {
  calls: { lastId: string | null }[] = []
  refuse = false
  status = 200
  private controller: ReadableStreamDefaultController<Uint8Array> | null = null

  fetch = (_: unknown, init?: RequestInit): Promise<Response> => {
    this.calls.push({ lastId: new Headers(init?.headers).get('Last-Event-ID') })
    if (this.refuse) return Promise.reject(new TypeError('refused'))
    if (this.status !== 200) return Promise.resolve(new Response(null, { status: this.status }))
    const body = new ReadableStream<Uint8Array>({ start: (controller) => void (this.controller = controller) })
    init?.signal?.addEventListener('abort', () => this.controller?.error(new Error('aborted')))
    return Promise.resolve(new Response(body))
  }
  async send(...ids: (number | string)[]): Promise<void> {
    for (const id of ids) {
      const text = typeof id === 'number' ? `id: ${id}\nevent: alarm\ndata: {"id":"a${id}"}\n\n` : id
      this.controller?.enqueue(new TextEncoder().encode(text))
    }
    await vi.advanceTimersByTimeAsync(0)
  }
  async cut(): Promise<void> {
    this.controller?.error(new Error('cut'))
    await vi.advanceTimersByTimeAsync(0)
  }
}

describe('the live line', () => {
  let wire: Wire
  let batches: string[][]
  let states: LinkState[]
  let reloads: number
  let serverUp: boolean
  let signedOut: boolean
  let stream: LiveStream

  beforeEach(async () => {
    vi.useFakeTimers()
    wire = new Wire()
    batches = []
    states = []
    reloads = 0
    serverUp = true
    signedOut = false
    stream = new LiveStream({
      url: '/s',
      apply: (events: StreamEvent[]) => void batches.push(events.map((event) => (event.data as { id: string }).id)),
      reload: async () => {
        reloads += 1
        if (!serverUp) throw new Error('away')
      },
      state: (state) => void states.push(state),
      signedOut: () => void (signedOut = true),
      fetch: wire.fetch as typeof fetch,
    })
    stream.start(10)
    await vi.advanceTimersByTimeAsync(0)
  })
  afterEach(() => {
    stream.stop()
    vi.useRealTimers()
  })

  it('asks for what came after the situation it was started with', () => expect(wire.calls[0]?.lastId).toBe('10'))

  it('gives events in order and drops what is older', async () => {
    await wire.send(11, 12, 11, 9, 13)
    await vi.advanceTimersByTimeAsync(300)
    expect(batches.flat()).toEqual(['a11', 'a12', 'a13'])
  })

  it('takes several events of one step', async () => {
    await wire.send(11, 'id: 11\nevent: task\ndata: {"id":"t1"}\n\n', 'id: 11\nevent: situation\ndata: {"id":"s"}\n\n')
    await vi.advanceTimersByTimeAsync(300)
    expect(batches.flat()).toEqual(['a11', 't1', 's'])
  })

  it('renders at most four times a second', async () => {
    for (let id = 11; id < 511; id += 1) {
      await wire.send(id)
      await vi.advanceTimersByTimeAsync(2)
    }
    await vi.advanceTimersByTimeAsync(300)
    expect(batches.flat()).toHaveLength(500)
    expect(batches.length).toBeLessThanOrEqual(6)
  })

  it('comes back with the last complete step and applies what was missed', async () => {
    await wire.send(11, 'id: 11\nevent: situation\ndata: {"id":"s"}\n\n')
    await wire.cut()
    await vi.advanceTimersByTimeAsync(600)
    expect(wire.calls[1]?.lastId).toBe('11')
    await wire.send(12)
    await vi.advanceTimersByTimeAsync(300)
    expect(batches.flat()).toEqual(['a11', 's', 'a12'])
    expect(states).toEqual(['ok'])
  })

  it('asks again for a step that was cut in its middle', async () => {
    await wire.send(11, 12)
    await wire.cut()
    await vi.advanceTimersByTimeAsync(600)
    expect(wire.calls[1]?.lastId).toBe('11')
  })

  it('says degraded within ten seconds, asks every 15 s, and recovers', async () => {
    wire.refuse = true
    await wire.cut()
    await vi.advanceTimersByTimeAsync(9_000)
    expect(states).toEqual(['ok', 'degraded'])
    expect(reloads).toBe(1)
    await vi.advanceTimersByTimeAsync(30_000)
    expect(reloads).toBe(3)
    wire.refuse = false
    await vi.advanceTimersByTimeAsync(8_000)
    expect(states.at(-1)).toBe('ok')
    const before = reloads
    await vi.advanceTimersByTimeAsync(5_000)
    expect(reloads).toBe(before)
  })

  it('says down when asking fails too', async () => {
    wire.refuse = true
    serverUp = false
    await wire.cut()
    await vi.advanceTimersByTimeAsync(9_000)
    expect(states).toEqual(['ok', 'degraded', 'down'])
  })

  it('opens a silent line anew without saying anything', async () => {
    await vi.advanceTimersByTimeAsync(7_600)
    expect(wire.calls.length).toBe(2)
    expect(states).toEqual(['ok'])
  })

  it('is kept open by comments', async () => {
    for (let i = 0; i < 5; i += 1) {
      await vi.advanceTimersByTimeAsync(5_000)
      await wire.send(': alive\n\n')
    }
    expect(wire.calls.length).toBe(1)
  })

  it('reads everything anew when told to, and takes the numbers of a new journal', async () => {
    await wire.send(11, 'id: 3\nevent: resync\ndata: {"reason":"new journal"}\n\n', 4)
    await vi.advanceTimersByTimeAsync(300)
    expect(reloads).toBe(1)
    expect(batches.flat()).toEqual(['a4'])
  })

  it('drops a flood of events and reads anew instead of growing', async () => {
    await wire.send(Array.from({ length: 5_002 }, (_, i) => `id: ${i + 11}\nevent: alarm\ndata: {"id":"x"}\n\n`).join(''))
    await vi.advanceTimersByTimeAsync(300)
    expect(reloads).toBe(1)
    expect(batches.flat().length).toBeLessThan(10)
  })

  it('passes over unreadable and unknown events', async () => {
    await wire.send('id: 11\nevent: alarm\ndata: {broken\n\n', 'id: 12\nevent: novelty\ndata: {}\n\n', 13)
    await vi.advanceTimersByTimeAsync(300)
    expect(batches.flat()).toEqual(['a13'])
  })

  it('stops when the session has ended', async () => {
    wire.status = 401
    await wire.cut()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(signedOut).toBe(true)
    expect(wire.calls.length).toBe(2)
  })
})
