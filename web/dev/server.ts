// A stand-in for the server, for `npm run dev` and screenshots only. Nothing here is part of the build.
import type { Connect, Plugin } from 'vite'
import { handle } from './routes.ts'

export function mockApi(): Plugin {
  const use = (server: { middlewares: Connect.Server }): void => {
    server.middlewares.use((request, response, next) => {
      const url = new URL(request.url ?? '/', 'http://localhost')
      if (!url.pathname.startsWith('/api/v1/')) return next()
      void handle(request, response, url)
    })
  }
  return { name: 'anlan-mock-api', apply: (_, env) => env.command === 'serve' || env.isPreview === true, configureServer: use, configurePreviewServer: use }
}
