// A stand-in for the server, for `npm run dev` and screenshots only. Nothing here is part of the build.
import type { Connect, Plugin } from 'vite'
import { handle } from './routes.ts'

/** As the server sends it: nothing from elsewhere, no inline script, no inline style. */
const CSP = "default-src 'self'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"

export function mockApi(): Plugin {
  const use = (strict: boolean) => (server: { middlewares: Connect.Server }): void => {
    server.middlewares.use((request, response, next) => {
      const url = new URL(request.url ?? '/', 'http://localhost')
      if (!url.pathname.startsWith('/api/v1/')) {
        if (strict) response.setHeader('Content-Security-Policy', CSP)
        return next()
      }
      void handle(request, response, url)
    })
  }
  return { name: 'anlan-mock-api', apply: (_, env) => env.command === 'serve' || env.isPreview === true, configureServer: use(false), configurePreviewServer: use(true) }
}
