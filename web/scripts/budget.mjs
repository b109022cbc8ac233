// Fails the build when the first load of a page outgrows its budget (gzip bytes of its entry, chunks and styles).
import { readFileSync, statSync, existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

const dist = new URL('../dist/', import.meta.url).pathname
const manifest = JSON.parse(readFileSync(join(dist, '.vite/manifest.json'), 'utf8'))
// A page is its route module plus what it may load at once; `later` is what the page loads only on request.
const pages = [
  { page: '/hq', module: 'src/hq/HqPage.vue', limit: 1_500_000, dynamic: true },
  { page: '/patrol', module: 'src/patrol/PatrolPage.vue', limit: 250_000, dynamic: false },
]

const size = (file) => {
  const path = join(dist, file)
  return existsSync(`${path}.gz`) ? statSync(`${path}.gz`).size : gzipSync(readFileSync(path)).length
}

const collect = (key, dynamic, seen) => {
  const chunk = manifest[key]
  if (!chunk || seen.has(key)) return seen
  seen.add(key)
  for (const next of chunk.imports ?? []) collect(next, dynamic, seen)
  if (dynamic) for (const next of chunk.dynamicImports ?? []) if (!next.endsWith('Page.vue')) collect(next, dynamic, seen)
  return seen
}

let failed = false
for (const { page, module, limit, dynamic } of pages) {
  if (!manifest[module]) {
    console.log(`${page}: not in this build`)
    continue
  }
  const keys = collect(module, dynamic, collect('index.html', false, new Set()))
  const files = new Set([...keys].flatMap((key) => [manifest[key].file, ...(manifest[key].css ?? []), ...(manifest[key].assets ?? [])]))
  // The worker of the map engine is built apart and has no manifest entry.
  if (dynamic) for (const file of readdirSync(join(dist, 'assets'))) if (/worker.*\.js$/.test(file)) files.add(`assets/${file}`)
  const total = [...files].reduce((sum, file) => sum + size(file), 0)
  failed ||= total > limit
  console.log(`${page}: ${(total / 1000).toFixed(0)} kB gz of ${limit / 1000} kB${total > limit ? '  TOO LARGE' : ''}`)
  const engine = [...files].find((file) => /maplibre/.test(file))
  if (!dynamic && engine) {
    failed = true
    console.log(`${page}: loads the map engine at once (${engine})`)
  }
}
if (failed) process.exit(1)
