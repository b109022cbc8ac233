// What the service worker does with a request. Pure. It keeps the page of the phone app and nothing else: the API is
// never answered from a cache (today's tasks lie in the page's own store, so there is one copy, and sign-out clears it).

export type Rule = 'shell' | 'asset' | 'pass'

export interface Asked { method: string; url: string; mode: string }

/** `files` are the paths of the app shell; `origin` is ours. */
export function ruleFor(asked: Asked, origin: string, files: ReadonlySet<string>): Rule {
  const url = new URL(asked.url, origin)
  if (asked.method !== 'GET' || url.origin !== origin || url.pathname.startsWith('/api/')) return 'pass'
  if (asked.mode === 'navigate') return /^\/patrol\/?$/.test(url.pathname) ? 'shell' : 'pass'
  return files.has(url.pathname) ? 'asset' : 'pass'
}

/** Name of the cache that holds exactly these files: content names differ when their content does. */
export function cacheName(files: readonly string[]): string {
  let hash = 2_166_136_261
  for (const letter of [...files].sort().join('\n')) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 16_777_619) >>> 0
  return `anlan-patrol-${hash.toString(16)}`
}
