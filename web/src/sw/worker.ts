// The service worker of the phone app, served as /sw.js. It lets /patrol open without network.
import { cacheName, ruleFor } from './rules'

interface LaterEvent extends Event { waitUntil(work: Promise<unknown>): void }
interface FetchLike extends Event { request: Request; respondWith(answer: Promise<Response>): void }
interface WorkerScope {
  location: { origin: string }
  skipWaiting(): Promise<void>
  clients: { claim(): Promise<void> }
  addEventListener(type: 'install' | 'activate', listener: (event: LaterEvent) => void): void
  addEventListener(type: 'fetch', listener: (event: FetchLike) => void): void
}

/** Paths of the app shell; the build writes them here. */
declare const SHELL_FILES: string[]
const PAGE = '/patrol'

const scope = self as unknown as WorkerScope
const files = SHELL_FILES
const known = new Set(files)
const name = cacheName(files)

scope.addEventListener('install', (event) => {
  event.waitUntil(fill().then(() => scope.skipWaiting()))
})
scope.addEventListener('activate', (event) => {
  event.waitUntil(dropOld().then(() => scope.clients.claim()))
})
scope.addEventListener('fetch', (event) => {
  const { method, url, mode } = event.request
  const rule = ruleFor({ method, url, mode }, scope.location.origin, known)
  if (rule !== 'pass') event.respondWith(fromShell(event.request, rule === 'shell' ? PAGE : new URL(url).pathname))
})

async function fill(): Promise<void> {
  const cache = await caches.open(name)
  await cache.addAll([PAGE, ...files].map((path) => new Request(path, { cache: 'reload' })))
}

async function dropOld(): Promise<void> {
  for (const other of await caches.keys()) if (other.startsWith('anlan-patrol-') && other !== name) await caches.delete(other)
}

/** The stored copy; the network when the browser has thrown it away. */
async function fromShell(request: Request, path: string): Promise<Response> {
  const cache = await caches.open(name)
  return (await cache.match(path)) ?? fetch(request)
}
