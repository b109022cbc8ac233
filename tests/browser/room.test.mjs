// Room on the wall: nothing in its columns is cut or runs over its box at the usual sizes, in both languages; flooded places
// and the water of an hour to come have theirs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withDemo } from './harness.mjs';

const SIZES = [[1280, 720], [1366, 768], [1440, 900], [1920, 1080]];

/** What is cut or sticks out in the left and the right column, and panels that end below the window. */
const faultsOf = (page) => page.evaluate(() => {
  const faults = [];
  const said = (element) => `${element.tagName} .${element.className} «${element.innerText.trim().slice(0, 40)}»`;
  for (const column of document.querySelectorAll('.left, .right')) {
    const { left, right } = column.getBoundingClientRect();
    for (const panel of column.querySelectorAll('.panel, .card')) {
      const box = panel.getBoundingClientRect();
      if (box.height > 0 && box.bottom > innerHeight + 1) faults.push(`ends below the window: ${said(panel)}`);
    }
    for (const element of column.querySelectorAll('*')) {
      // A slider's handle and a long reason that unfolds stick out on purpose.
      if (!(element instanceof HTMLElement) || element.closest('.sr-only, [hidden]') || element.matches('input, .track, .clamped .box')) continue;
      const { width, height, left: from, right: to } = element.getBoundingClientRect();
      if (width < 2 || height < 2 || getComputedStyle(element).display === 'inline') continue;
      if (element.clientWidth > 0 && element.scrollWidth > element.clientWidth + 1) faults.push(`cut, ${element.scrollWidth} in ${element.clientWidth} px: ${said(element)}`);
      if (to > right + 1 || from < left - 1) faults.push(`outside its column: ${said(element)}`);
    }
  }
  if (document.documentElement.scrollHeight > innerHeight + 1) faults.push(`the page scrolls: ${document.documentElement.scrollHeight} px`);
  return faults;
});

async function openWall(page, url, [width, height], locale) {
  await page.setViewportSize({ width, height });
  await page.evaluate((to) => localStorage.setItem('anlan.locale', to), locale);
  await page.goto(`${url}/hq`);
  await page.locator('[data-testid=gauge][data-freshness=fresh]').first().waitFor();
  await page.getByTestId('task-row').first().waitFor();
  await page.locator('[data-testid=twin-now][data-state=live]').waitFor();
}

async function preview(page, discharge) {
  await page.getByTestId('discharge-input').fill(String(discharge));
  await page.keyboard.press('Enter');
  await page.getByTestId('inundation').waitFor();
}

async function chooseKind(page, kind) {
  const list = page.getByTestId('flooded-choice');
  if (await list.count()) await list.selectOption(kind);
  else await page.locator(`[data-testid=flooded-kind][data-kind=${kind}]`).click();
  await page.locator(`[data-testid=flooded][data-kind=${kind}]`).waitFor();
}

test('nothing in the columns is cut at four sizes in two languages, live, in a what-if and with its places', () => withDemo({}, async ({ demo, open }) => {
  const page = await open(demo.link);
  await page.getByTestId('gauge').first().waitFor();
  const found = [];
  for (const size of SIZES) {
    for (const locale of ['zh-CN', 'en']) {
      const look = async (what) => found.push(...(await faultsOf(page)).map((fault) => `${size.join('×')} ${locale} ${what}: ${fault}`));
      await openWall(page, demo.url, size, locale);
      await look('live');
      await preview(page, 22_000);
      await page.getByTestId('breach-select').selectOption('work-huayuankou');
      await page.getByTestId('breach-shown').waitFor();
      await look('what-if');
      await page.getByTestId('tab-water').click();
      for (const kind of ['village', 'route', 'dam', 'levee']) {
        await chooseKind(page, kind);
        await look(kind);
      }
    }
  }
  assert.deepEqual(found, []);
}));

test('a breach that floods shelters says so on top, and leads to them by keyboard', () => withDemo({}, async ({ demo, open }) => {
  const page = await open(demo.link, { viewport: { width: 1920, height: 1080 } });
  await page.getByTestId('gauge').first().waitFor();
  await preview(page, 22_000);
  assert.equal(await page.locator('[data-testid=flood-alarm][data-kind=shelter]').count(), 0);
  await page.getByTestId('breach-select').selectOption('work-huayuankou');
  const alarm = page.locator('[data-testid=flood-alarm][data-kind=shelter]');
  await alarm.waitFor();
  assert.match(await alarm.innerText(), /安置点进水 5 处/);
  await alarm.focus();
  await page.keyboard.press('Enter');
  const places = page.locator('[data-testid=flooded][data-kind=shelter]');
  await places.getByTestId('flooded-row').nth(4).waitFor();
  assert.match(await places.getByTestId('flooded-row').first().innerText(), /安置点.*小时.*m.*H\d/s);
  // Another kind by keyboard; a long list shows its first rows.
  await page.locator('[data-testid=flooded-kind][data-kind=dam]').focus();
  await page.keyboard.press('Enter');
  await page.locator('[data-testid=flooded][data-kind=dam]').waitFor();
  assert.equal(await page.getByTestId('flooded-row').count(), 50);
  await page.keyboard.press('Escape');
  await page.locator('html[data-scope=live]').waitFor();
  await page.getByTestId('tab-water').waitFor({ state: 'detached' });
  await page.getByTestId('task-row').first().waitFor();
}));

test('ahead of now the map shows the water of that hour and says that it is a forecast; back at now the live one', () => withDemo({}, async ({ demo, open }) => {
  const page = await open(demo.link, { viewport: { width: 1920, height: 1080 } });
  await page.locator('[data-testid=twin-now][data-state=live]').waitFor();
  const note = page.getByTestId('water-note');
  await page.locator('[data-testid=water-note]:has-text("按当前流量")').waitFor();
  const asked = page.waitForResponse((reply) => /map\/inundation\?scenario=\d+$/.test(reply.url()));
  await page.getByTestId('scrubber').focus();
  for (let step = 0; step < 36; step += 1) await page.keyboard.press('ArrowRight');
  const chip = page.getByTestId('map-ahead');
  await chip.waitFor();
  const water = await (await asked).json();
  assert.ok(water.features.length > 0 && water.assumed);
  await page.locator('[data-testid=map-ahead]:has-text("+6.0 h")').waitFor();
  assert.match(await chip.innerText(), /推演 .*\+6\.0 h.* m³\/s/);
  assert.match(await note.innerText(), /预报推演 .*区间.*发布.*情景库 .*100 m 网格.*合成地形/);
  await page.getByTestId('follow-now').click();
  await chip.waitFor({ state: 'detached' });
  await page.locator('[data-testid=water-note]:has-text("按当前流量")').waitFor();
}));
