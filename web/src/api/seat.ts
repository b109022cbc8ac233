// A second person on one machine, for the demo: a tab that keeps a session of its own beside the cookie of the browser.
//
// A link with `seat=tab` puts the session into this tab only; every call of the tab then carries it and no cookie. It
// works on loopback alone, where the demo runs: elsewhere a session stays in the cookie, out of reach of scripts.

const KEY = 'anlan.seat'
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])

const store = (): Storage | null => (typeof window === 'undefined' || !LOOPBACK.has(window.location.hostname) ? null : window.sessionStorage)

/** Whether a link asks for a seat and may have one. */
export const wantsSeat = (url: URL): boolean => url.searchParams.get('seat') === 'tab' && LOOPBACK.has(url.hostname)

/** From now on this tab is that session. */
export function takeSeat(token: string): void {
  store()?.setItem(KEY, token)
}

/** Back to the session of the browser. */
export function leaveSeat(): void {
  store()?.removeItem(KEY)
}

/** The same request as the one who sits here. */
export function seated<T extends RequestInit>(init: T): T {
  const token = store()?.getItem(KEY)
  if (!token) return init
  return { ...init, credentials: 'omit', headers: { ...(init.headers as Record<string, string>), Authorization: `Bearer ${token}` } }
}
