// Pictures of the built pages against the stand-in server: `npm run build && node dev/shot.mjs OUT_DIR`.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { preview } from 'vite'

const out = process.argv[2] ?? 'shots'
mkdirSync(out, { recursive: true })
const server = await preview({ preview: { port: 4179, strictPort: true } })
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-background-networking', '--disable-gpu', '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'] })
const errors = []

async function open(width, height, path = '/hq') {
  const page = await browser.newPage({ viewport: { width, height } })
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && errors.push(`${path}: ${message.text()}`))
  page.on('pageerror', (error) => errors.push(`${path}: ${error.stack ?? error}`))
  page.on('request', (request) => !/^(http:\/\/localhost:4179|data:|blob:)/.test(request.url()) && errors.push(`left the origin: ${request.url()}`))
  await page.goto(`http://localhost:4179${path}`)
  return page
}
const idle = (page) => page.locator('[data-testid=map][data-state=idle]').waitFor({ timeout: 40_000 }).catch((error) => errors.push(String(error)))
const shot = (page, name) => page.screenshot({ path: join(out, `${name}.png`) })

const only = process.argv[3]
const want = (name) => !only || only.split(',').includes(name)
if (want('hq')) {
  const page = await open(1920, 1080)
  await idle(page)
  await page.waitForTimeout(800)
  await shot(page, 'hq-live')
  await page.getByTestId('discharge-input').fill('22000')
  await page.keyboard.press('Enter')
  await page.locator('[data-testid=level-badge][data-scope=preview][data-level=red]').waitFor()
  await page.waitForTimeout(500)
  await shot(page, 'hq-preview')
  await page.getByRole('button', { name: '查看差异' }).click()
  await page.waitForTimeout(300)
  await shot(page, 'hq-diff')
  await page.keyboard.press('Escape')
  await page.getByTestId('activate-button').click()
  await page.waitForTimeout(400)
  await shot(page, 'hq-activate')
  await page.keyboard.press('Escape')
  await page.waitForTimeout(200)
  await page.keyboard.press('Escape')
  await page.waitForTimeout(400)
  console.log('after Esc:', await page.evaluate(() => [document.documentElement.dataset.scope, document.activeElement?.getAttribute('data-testid')]))
  await page.getByTestId('task-row').first().click()
  await page.waitForTimeout(500)
  await shot(page, 'hq-task')
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: '要素列表' }).click()
  await page.getByTestId('feature-row').first().getByRole('button').click()
  await page.waitForTimeout(1500)
  await shot(page, 'hq-list')
  await page.close()
}
if (want('small')) {
  const page = await open(1366, 768)
  await idle(page)
  await page.waitForTimeout(800)
  await shot(page, 'hq-1366')
  await page.close()
}
if (want('en')) {
  const page = await open(1920, 1080)
  await page.getByTestId('lang-switch').click()
  await idle(page)
  await page.waitForTimeout(800)
  await shot(page, 'hq-en')
  await page.close()
}
if (want('4k')) {
  const page = await open(3840, 2160)
  await idle(page)
  await page.waitForTimeout(800)
  await shot(page, 'hq-4k')
  await page.close()
}
if (want('pages')) {
  for (const path of ['/login', '/setup', '/duty', '/drill', '/nowhere']) {
    const page = await open(1366, 768, path)
    await page.waitForTimeout(800)
    await shot(page, `page${path.replaceAll('/', '-')}`)
    await page.close()
  }
}
await browser.close()
await new Promise((done) => server.httpServer.close(done))
console.log(errors.length ? [...new Set(errors)].join('\n') : 'no errors in the console')
process.exit(0)
