// Slow data that is asked for again and again while somebody looks: each turn ends before the next is waited for.

/** Does `work` at once and `every_ms` after it has ended, from `start` until `stop`. */
export function repeat(work: () => Promise<void>, every_ms: number): { start: () => void; stop: () => void } {
  let timer: ReturnType<typeof setTimeout> | null = null
  let running = false

  async function turn(): Promise<void> {
    await work()
    if (running) timer = setTimeout(() => void turn(), every_ms)
  }

  function start(): void {
    if (running) return
    running = true
    void turn()
  }

  function stop(): void {
    running = false
    if (timer) clearTimeout(timer)
  }

  return { start, stop }
}
