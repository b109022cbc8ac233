// Writes a .br and a .gz beside each text asset of dist, so that the server never compresses at run time.
import { readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const text = /\.(js|css|html|svg|json|webmanifest|geojson)$/
const root = new URL('../dist/', import.meta.url).pathname

for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name)
  if (!entry.isFile() || !text.test(entry.name) || path.includes('/.vite/')) continue
  const body = await readFile(path)
  if (body.length < 512) continue
  await writeFile(`${path}.gz`, gzipSync(body, { level: 9 }))
  await writeFile(`${path}.br`, brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }))
}
