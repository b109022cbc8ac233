// Builds /sw.js and tells it which files the first load of /patrol needs.
import type { Plugin } from 'vite'

interface Chunk { type: string; fileName: string; isEntry?: boolean; facadeModuleId?: string | null; imports?: string[]; code?: string; viteMetadata?: { importedCss?: Set<string>; importedAssets?: Set<string> } }

const ALSO = ['/icon.svg', '/manifest.webmanifest']

/** The files of a page: its chunk, the entry of the app, all that these import, and their styles. */
export function shellOf(bundle: Record<string, Chunk>, page: string): string[] {
  const chunks = Object.values(bundle)
  const waiting = chunks.filter((chunk) => chunk.type === 'chunk' && (chunk.facadeModuleId?.endsWith(page) || (chunk.isEntry && chunk.facadeModuleId?.endsWith('index.html')))).map((chunk) => chunk.fileName)
  const files = new Set<string>()
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const chunk = bundle[next]
    if (chunk === undefined || files.has(next)) continue
    files.add(next)
    waiting.push(...(chunk.imports ?? []))
    for (const css of chunk.viteMetadata?.importedCss ?? []) files.add(css)
    for (const asset of chunk.viteMetadata?.importedAssets ?? []) files.add(asset)
  }
  return [...files].sort().map((file) => `/${file}`)
}

export function serviceWorker(): Plugin {
  return {
    name: 'anlan-service-worker',
    apply: 'build',
    buildStart() {
      this.emitFile({ type: 'chunk', id: new URL('./worker.ts', import.meta.url).pathname, fileName: 'sw.js' })
    },
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const worker = bundle['sw.js']
        if (worker?.type !== 'chunk') throw new Error('the service worker was not built')
        if (worker.imports.length > 0 || /^\s*(import|export)\b/m.test(worker.code)) throw new Error('the service worker must stand alone in one file')
        const files = shellOf(bundle as unknown as Record<string, Chunk>, 'src/patrol/PatrolPage.vue')
        if (files.length < 2) throw new Error('no files of the patrol page found for the service worker')
        worker.code = `const SHELL_FILES = ${JSON.stringify([...files, ...ALSO])};\n${worker.code}`
      },
    },
  }
}
