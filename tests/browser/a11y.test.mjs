// axe-core over the pages, in both languages: nothing serious and nothing critical.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { withDemo } from './harness.mjs';

const axe = readFileSync(createRequire(new URL('../../web/package.json', import.meta.url)).resolve('axe-core/axe.min.js'), 'utf8');
const WALL = { viewport: { width: 1920, height: 1080 } };
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };
const SIGNED_OUT = /status of 401/;

async function grave(page) {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { violations } = await window.axe.run(document, { resultTypes: ['violations'] });
    return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(' ')} · ${node.failureSummary.replaceAll(/\s+/g, ' ')} · ${node.html.slice(0, 160)}`));
  });
}

const PAGES = [
  { name: 'hq', path: '/hq', account: 'duty-a', options: WALL, ready: '[data-testid=map][data-state=idle]' },
  { name: 'hq in a preview', path: '/hq', account: 'duty-b', options: WALL, ready: '[data-testid=map][data-state=idle]', discharge: 22_000 },
  { name: 'drill', path: '/drill', account: 'commander', options: WALL, ready: '[data-testid=drill-start], :text("floods/")' },
  { name: 'patrol', path: '/patrol', account: 'mbr-105', options: PHONE, ready: 'html[data-link=ok] [data-testid=sos-button]' },
  { name: 'login', path: '/login', options: WALL, ready: '[data-testid=login-submit]' },
];

test('axe finds nothing serious on hq, drill, patrol and login, in Chinese and English', () => withDemo({ allow: [SIGNED_OUT] }, async ({ demo, open }) => {
  const found = [];
  for (const { name, path, account, options, ready, discharge } of PAGES) {
    const link = account && demo.accounts.find((each) => each.name === account).link;
    const page = await open(link ? link.replace(/\/(hq|patrol)\?/, `${path}?`) : demo.url + path, options);
    await page.locator(ready).first().waitFor(); // signed in
    for (const locale of ['zh-CN', 'en']) {
      await page.evaluate((to) => localStorage.setItem('anlan.locale', to), locale);
      await page.goto(demo.url + path);
      await page.locator(ready).first().waitFor();
      assert.equal(await page.locator('html').getAttribute('lang'), locale);
      if (discharge) {
        await page.getByTestId('discharge-input').fill(String(discharge));
        await page.keyboard.press('Enter');
        await page.locator('[data-testid=level-badge][data-scope=preview]').waitFor();
      }
      found.push(...(await grave(page)).map((fault) => `${name}, ${locale}: ${fault}`));
    }
    await page.context().close();
  }
  assert.deepEqual(found, []);
}));
