// What the wall offers beyond the main job: a newcomer who plays both officers, a masked number that a commander opens,
// the texts before they go out, and room for the tasks.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withDemo } from './harness.mjs';

const WALL = { viewport: { width: 1920, height: 1080 } };

const linkOf = (demo, name) => demo.accounts.find((account) => account.name === name).link;
const ask = (page, path) => page.evaluate(async (url) => (await fetch(url)).json(), `/api/v1${path}`);

async function openWall(open, link) {
  const page = await open(link, WALL);
  await page.locator('[data-testid=gauge][data-freshness=fresh]').first().waitFor();
  return page;
}

/** Opens the dialog on a preview of 22000 and asks for red by the typed word. */
async function askForRed(page) {
  await page.getByTestId('discharge-input').fill('22000');
  await page.keyboard.press('Enter');
  await page.locator('html[data-scope=preview]').waitFor();
  await page.getByTestId('activate-button').click();
  await page.getByTestId('activate-dialog').waitFor();
}

test('one newcomer releases a level as two officers and answers as a phone, in tabs of one browser', () => withDemo({}, async ({ demo, open }) => {
  const first = await openWall(open, demo.link);
  await askForRed(first);

  // Before anything is asked: how many messages, and what they say.
  const dialog = first.getByTestId('activate-dialog');
  const channel = dialog.getByTestId('channel-count');
  assert.equal(await channel.getAttribute('data-channel'), 'app');
  assert.ok(Number(await channel.getAttribute('data-messages')) > 300);
  const samples = await dialog.getByTestId('message-sample').allInnerTexts();
  assert.equal(samples.length, 5);
  for (const text of samples) assert.doesNotMatch(text, /[{}]/, 'every holder is filled in');

  await first.getByTestId('reason-input').fill('新手试用：花园口 22000');
  await first.getByTestId('activate-word').fill('红色');
  await first.locator('[data-testid=activation-pending][data-state=asked]').waitFor();
  const [second] = await Promise.all([first.context().waitForEvent('page'), first.locator('[data-testid=demo-seat][data-role=duty]').click()]);
  await second.getByTestId('second-confirm').click();
  await first.locator('[data-testid=level-badge][data-scope=live][data-level=red]').waitFor();
  assert.doesNotMatch(second.url(), /token|seat/);
  assert.deepEqual([(await ask(first, '/session')).name, await second.locator('header .who').innerText()], ['duty-a', '值班 duty-b ▾']);

  const [phone] = await Promise.all([first.context().waitForEvent('page'), first.locator('[data-testid=demo-seat][data-role=member]').click()]);
  await phone.getByTestId('ack-button').click();
  await first.locator('[data-testid=answer-rate]:not([data-rate="0"])').waitFor();
  assert.equal((await ask(first, '/session')).name, 'duty-a', 'the first officer is still who he was');
}));

test('links into other accounts are for officers of a demo, on its own machine', () => withDemo({ allow: [/status of 403/] }, async ({ demo, open }) => {
  const status = (page, headers = {}) => page.evaluate(async (more) => (await fetch('/api/v1/demo/links', { headers: more })).status, headers);
  const duty = await openWall(open, demo.link);
  assert.equal(await status(duty), 200);
  assert.equal(await status(duty, { 'X-Forwarded-For': '203.0.113.9' }), 403, 'not through a proxy');
  const phone = await open(demo.accounts.find((account) => account.role === 'member').link);
  await phone.locator('html[data-link=ok]').waitFor();
  assert.equal(await status(phone), 403);
  assert.equal((await fetch(new URL('/api/v1/demo/links', demo.url))).status, 401);
}));

test('a commander opens a masked number by keyboard for a while; it is written down; others may not', () => withDemo({}, async ({ demo, open }) => {
  const commander = await openWall(open, linkOf(demo, 'commander'));
  const duty = await openWall(open, demo.link);
  for (const page of [commander, duty]) {
    await page.getByTestId('task-row').first().waitFor();
    await page.getByTestId('task-row').first().click();
    await page.getByTestId('person').first().waitFor();
  }
  const person = commander.getByTestId('person').first();
  const member = await person.getAttribute('data-member');
  assert.match(await person.innerText(), /某某 \d{3}\*{4}\d{4}/);
  const last = (await ask(commander, '/situation')).journal.last;
  await person.getByTestId('reveal-button').focus();
  await commander.keyboard.press('Enter');
  await commander.locator(`[data-testid=person][data-member="${member}"][data-open=true]`).first().waitFor();
  const shown = await person.innerText();
  assert.match(shown, /\d{11}/);
  assert.doesNotMatch(shown, /某某|\*/);
  const facts = (await ask(commander, `/journal?after=${last}`)).items;
  assert.ok(JSON.stringify(facts).includes(member), 'the journal names whose number was seen');
  await commander.keyboard.press('Enter');
  await commander.locator(`[data-testid=person][data-member="${member}"][data-open=false]`).first().waitFor();
  assert.match(await person.innerText(), /\*{4}/);

  const button = duty.getByTestId('person').first().getByTestId('reveal-button');
  assert.equal(await button.getAttribute('aria-disabled'), 'true');
  await button.focus();
  await duty.keyboard.press('Enter');
  assert.match(await duty.getByTestId('person').first().innerText(), /\*{4}/);
}));

test('at 1920 by 1080 the tasks have the room that empty panels do not need', () => withDemo({}, async ({ demo, open }) => {
  const page = await openWall(open, demo.link);
  await page.getByTestId('task-row').first().waitFor();
  const board = await page.getByTestId('task-board').boundingBox();
  const inSight = await page.getByTestId('task-row').evaluateAll((rows) => {
    const list = rows[0].closest('[role=list]').getBoundingClientRect();
    return rows.filter((row) => { const box = row.getBoundingClientRect(); return box.top >= list.top - 1 && box.bottom <= list.bottom + 1; }).length;
  });
  assert.ok(inSight >= 7, `${inSight} tasks in sight`);
  assert.ok(board.height >= 480, `${Math.round(board.height)} px`);
}));

test('a plan is looked at before it is kept, and a value is corrected with its original on record', () => withDemo({}, async ({ demo, open }) => {
  const page = await openWall(open, demo.link);
  const now = Date.parse((await ask(page, '/situation')).clock.now);
  const at = (hours) => new Date(now + hours * 3_600_000).toISOString();
  const rows = (value) => `issued_at,area,time,release\n${at(-1)},xiaolangdi,${at(-1)},${value}\n${at(-1)},xiaolangdi,${at(60)},${value}\n`;
  const file = (text) => ({ name: 'plan.csv', mimeType: 'text/csv', buffer: Buffer.from(text) });
  await page.locator('header .who').click();
  await page.getByTestId('open-import').click();
  const dialog = page.getByTestId('import-dialog');
  await dialog.getByTestId('import-forecast').check();
  const choose = async (text) => {
    await dialog.getByTestId('import-file').setInputFiles(file(text));
    await dialog.getByTestId('import-go').click();
    await dialog.getByTestId('import-preview').waitFor();
  };
  // The sender is missing: every row says so, and there is nothing to confirm.
  await choose(rows(9000));
  assert.match(await dialog.getByTestId('import-faults').innerText(), /source/);
  assert.equal(await dialog.getByTestId('import-go').getAttribute('aria-disabled'), 'true');
  await choose(rows(9000).replace('issued_at,', 'source,issued_at,').replaceAll(`\n${at(-1)},x`, `\n调度,${at(-1)},x`));
  assert.match(await dialog.getByTestId('import-preview').innerText(), /→/);
  assert.equal((await ask(page, '/forecasts')).items.length, 0, 'a look keeps nothing');
  await dialog.getByTestId('import-go').click();
  await dialog.getByTestId('import-done').waitFor();
  const kept = (await ask(page, '/forecasts')).items;
  assert.deepEqual(kept.map((one) => [one.source, one.in_use]), [['调度', true]]);
  await page.keyboard.press('Escape');

  await page.getByTestId('chart-table-toggle').click();
  await page.getByTestId('amend').nth(3).click();
  const amend = page.getByTestId('amend-dialog');
  await amend.getByTestId('amend-value').fill('6123');
  await amend.getByTestId('amend-reason').fill('录入错位');
  await amend.getByTestId('amend-send').click();
  await amend.locator('li', { hasText: '录入错位' }).waitFor();
  const [made] = (await ask(page, '/series/huayuankou.discharge/observations')).amendments;
  assert.deepEqual([made.value, made.by, made.revision, made.original.quality], [6123, 'duty-a', 1, 'good']);
}));
