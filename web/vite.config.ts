import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'
import { mockApi } from './dev/server.ts'
import { serviceWorker } from './src/sw/plugin.ts'

// `npm run dev` and `vite preview` answer /api from dev/ unless ANLAN_API names a running server.
const server = process.env.ANLAN_API
// With the host of the page: the server refuses changes that come from another origin.
const proxy = Object.fromEntries((server ? ['/api', '/healthz'] : []).map((path) => [path, { target: server, changeOrigin: false }]))

export default defineConfig({
  plugins: [vue(), serviceWorker(), ...(server ? [] : [mockApi()])],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: { target: 'es2022', sourcemap: false, manifest: true, chunkSizeWarningLimit: 1200, assetsInlineLimit: 0 },
  worker: { format: 'es' },
  server: { proxy },
  preview: { proxy },
  test: { environment: 'jsdom', include: ['src/**/*.test.ts', 'tests/**/*.test.ts'] },
})
