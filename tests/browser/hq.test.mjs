// The wall in real browsers, against the real server of `anlan demo`: what-if, two persons, phones, keyboard.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { binary, withDemo } from './harness.mjs';

const WALL = { viewport: { width: 1920, height: 1080 } };
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };
const REFUSED = /status of 403/; // a refusal that the scenario asks for

const linkOf = (demo, name) => demo.accounts.find((account) => account.name === name).link;
const firstMember = (demo) => demo.accounts.find((account) => account.role === 'member');
const wallBadge = (page) => page.locator('[data-testid=level-badge][data-scope=live]');
const rowOf = (page, id) => page.locator(`[data-testid=task-row][data-id="${id}"]`);

/** JSON of the server as the signed-in person of `page` gets it. */
const ask = (page, path) => page.evaluate(async (url) => (await fetch(url)).json(), `/api/v1${path}`);
const tasksOf = async (page) => {
  const all = [];
  for (let next = ''; next !== null;) {
    const answer = await ask(page, `/tasks${next && `?after=${encodeURIComponent(next)}`}`);
    all.push(...answer.items);
    next = answer.next;
  }
  return all;
};

const answer = (page, task, how) => page.evaluate(async (url) => {
  const reply = await fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID() }, body: '{}' });
  if (!reply.ok) throw new Error(await reply.text());
}, `/api/v1/tasks/${task}/${how}`);

/** The first answer of `what` that is something, or a failure after `limitMs`. */
async function eventually(what, limitMs = 8000) {
  for (const end = Date.now() + limitMs; Date.now() < end; await new Promise((done) => setTimeout(done, 100))) {
    const answer = await what();
    if (answer) return answer;
  }
  return assert.fail(`still not: ${what}`);
}

async function openWall(open, link) {
  const page = await open(link, WALL);
  await page.locator('[data-testid=gauge][data-freshness=fresh]').first().waitFor();
  return page;
}

async function preview(page, discharge) {
  await page.getByTestId('discharge-input').fill(String(discharge));
  await page.keyboard.press('Enter');
  await page.locator('html[data-scope=preview]').waitFor();
}

/** The first officer asks for the level that is previewed; the dialog is the one with the typed word. */
async function requestRed(page) {
  await page.getByTestId('activate-button').click();
  await page.getByTestId('activate-dialog').waitFor();
  await page.getByTestId('reason-input').fill('花园口 22000 流量演示');
  await page.getByTestId('activate-word').fill('红色');
  await page.locator('[data-testid=activation-pending][data-state=asked]').waitFor();
}

// How soon is told, not judged: a busy machine is no fault of the page. The figure is in docs/performance.md.
test('first run: the wall is live, whole and says that its data are a demo', (run) => {
  const start = performance.now();
  return withDemo({}, async ({ demo, open }) => {
    const page = await open(demo.link, WALL);
    await page.locator('[data-testid=gauge][data-freshness=fresh]').first().waitFor();
    run.diagnostic(`live ${((performance.now() - start) / 1000).toFixed(1)} s after the start of the server`);
    await page.locator('[data-testid=map][data-state=idle]').waitFor();
    await page.getByText('演示数据', { exact: true }).first().waitFor();
    // The twin goes with this river: it says so, and on what it rests.
    const twin = page.locator('[data-testid=twin-now][data-state=live]');
    await twin.waitFor();
    assert.match(await twin.innerText(), /情景库 100 m 网格，实测 [\d ]+ m³\/s，预报最大/);
    assert.doesNotMatch(page.url(), /token/);
    assert.ok(await page.locator('[data-testid=gauge][data-freshness=fresh]').count() >= 10);
  });
});

test('a preview of 22000 counts what the playbook counts, sends nothing, and Esc leaves it', () => withDemo({}, async ({ demo, open }) => {
  const page = await openWall(open, demo.link);
  const other = await openWall(open, linkOf(demo, 'duty-b'));
  const phone = await open(firstMember(demo).link, PHONE);
  await phone.locator('html[data-link=ok]').waitFor();
  const before = await ask(page, '/situation');
  assert.equal(before.level.in_force, 'blue');

  await preview(page, 22_000);
  await page.locator('[data-testid=level-badge][data-scope=preview][data-level=red]').waitFor();

  const golden = JSON.parse(execFileSync(binary, ['playbook', 'preview', '--discharge', '22000', '--json'], { maxBuffer: 1 << 28 }));
  const board = page.getByTestId('task-board');
  assert.equal(Number(await board.getAttribute('data-total')), golden.tasks.length);
  const counts = await ask(page, '/situation');
  assert.equal(counts.tasks.total, before.tasks.total, 'a preview makes no task');
  assert.match(await board.innerText(), new RegExp(`指令 ${golden.instructions.fires.length} 条`));
  const rows = await board.getByTestId('task-row').evaluateAll((all) => all.map((row) => row.dataset.code));
  const gone = new Set(golden.instructions.superseded.map((row) => row.code ?? row));
  assert.ok(rows.length > 5 && rows.every((code) => !gone.has(code)), String(rows));
  const diff = page.getByTestId('task-diff');
  const shown = await diff.evaluate((line) => ['new', 'changed', 'kept'].reduce((sum, name) => sum + Number(line.dataset[name]), 0));
  assert.equal(shown, golden.instructions.fires.length, 'every row is new, changed or kept');

  assert.equal(await wallBadge(other).getAttribute('data-level'), 'blue');
  assert.equal(await other.locator('html').getAttribute('data-scope'), 'live');
  assert.equal(await phone.getByTestId('task-row').count(), 0, 'the phone heard nothing');

  await page.keyboard.press('Escape');
  await page.locator('html[data-scope=live]').waitFor();
  assert.equal(Number(await board.getAttribute('data-total')), before.tasks.total);
  assert.ok(await page.getByTestId('discharge-input').evaluate((field) => field === document.activeElement));
}));

test('red needs two persons; every screen follows, a phone answers and another cannot go', () => withDemo({ allow: [REFUSED] }, async ({ demo, open, shot }) => {
  const [a, b] = [await openWall(open, demo.link), await openWall(open, linkOf(demo, 'duty-b'))];
  const phone = await open(firstMember(demo).link, PHONE);
  await phone.locator('html[data-link=ok]').waitFor();
  await preview(a, 22_000);
  await requestRed(a);
  assert.equal(await wallBadge(a).getAttribute('data-level'), 'blue', 'nothing is in force yet');

  // The one who asked cannot confirm.
  assert.equal(await a.getByTestId('second-confirm').getAttribute('aria-disabled'), 'true');
  await a.getByTestId('activation-pending').locator('small').getByText('您是申请人').waitFor();
  assert.equal(await wallBadge(a).getAttribute('data-level'), 'blue');
  assert.equal(await phone.getByTestId('task-row').count(), 0);

  await b.locator('[data-testid=activation-pending][data-state=asked]').waitFor();
  await b.getByTestId('second-confirm').click();
  await Promise.all([a, b].map((page) => page.locator('[data-testid=level-badge][data-scope=live][data-level=red]').waitFor()));
  await phone.getByTestId('task-row').first().waitFor();
  assert.ok((await tasksOf(a)).filter((task) => task.status === 'issued').length >= 300);
  await a.getByTestId('activation-pending').getByText('不能确认自己的申请').waitFor({ state: 'detached' });

  await shot(phone, 'patrol');

  // 收到: the row on both walls has the state, the holder's name and the time.
  const { member_id } = firstMember(demo);
  const first = phone.locator('[data-testid=task-row]:has([data-testid=ack-button])');
  const { id } = await first.evaluate((card) => ({ ...card.dataset }));
  await phone.getByTestId('ack-button').click();
  await phone.locator(`[data-testid=task-row][data-id="${id}"][data-status=acknowledged][data-waiting=false]`).waitFor();
  for (const wall of [a, b]) {
    await wall.locator('[data-group=acknowledged]').click();
    await wall.locator(`[data-testid=task-row][data-id="${id}"][data-status=acknowledged]`).waitFor({ timeout: 2000 });
  }
  const task = (await tasksOf(a)).find((each) => each.id === id);
  assert.equal(task.holder, member_id);
  assert.ok(task.acknowledged_at);
  assert.ok((await rowOf(a, id).innerText()).includes(task.owner.name));

  // 去不了 → 道路中断: the wall shows the reason, the task has gone to somebody else.
  await phone.locator(`[data-testid=task-row]:not([data-id="${id}"])`).first().click();
  const second = await phone.locator('[data-testid=task-row]:has([data-testid=decline-button])').evaluate((card) => card.dataset.id);
  await phone.getByTestId('decline-button').click();
  await phone.locator('[data-testid=decline-reason][data-reason=road-cut]').click();
  await a.locator('[data-group=acknowledged]').click();
  const declined = await eventually(async () => (await tasksOf(a)).find((each) => each.id === second && each.declined));
  assert.equal(declined.declined.reason, 'road-cut');
  assert.equal(declined.declined.by, member_id);
  assert.equal(declined.holder, declined.deputy.member);
  await a.getByRole('searchbox', { name: '编号、标题、人员' }).fill(declined.code);
  await rowOf(a, second).filter({ hasText: '道路中断' }).waitFor();

  // The picture of the wall: two more members answer what they have.
  for (const { link } of demo.accounts.filter((account) => account.role === 'member').slice(1)) {
    const other = await open(link, PHONE);
    await other.locator('html[data-link=ok]').waitFor();
    for (const { id: own } of (await ask(other, '/tasks')).items.slice(0, 8)) await answer(other, own, 'acknowledge');
  }
  await a.getByRole('button', { name: '清除' }).click();
  const settled = a.getByTestId('activation-pending').getByRole('button', { name: '关闭' });
  if (await settled.isVisible()) await settled.click({ timeout: 5000 }).catch(() => undefined); // it goes by itself, too
  await eventually(async () => Number(await a.getByTestId('answer-rate').getAttribute('data-rate')) > 0);
  await shot(a, 'hq');
}));

test('without a pointer: search, preview, leave, and the focus is always visible', () => withDemo({}, async ({ demo, open }) => {
  const page = await openWall(open, demo.link);
  await page.locator('[data-testid=map][data-state=idle]').waitFor();
  const press = (...keys) => keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());
  await press('/');
  await page.waitForFunction(() => document.activeElement?.dataset.testid === 'station-search', null, { timeout: 5000 });
  await page.keyboard.type('夹河滩');
  await page.getByRole('option').first().waitFor({ timeout: 5000 });
  await press('Enter');
  await page.getByTestId('station-search').waitFor({ state: 'detached' });
  await page.getByRole('heading', { name: /夹河滩/ }).waitFor();

  await press('q');
  assert.ok(await page.getByTestId('discharge-input').evaluate((field) => field === document.activeElement));
  await page.keyboard.type('22000');
  await press('Enter');
  await page.locator('[data-testid=level-badge][data-scope=preview][data-level=red]').waitFor();
  await press('Escape');
  await page.locator('html[data-scope=live]').waitFor();
  for (let i = 0; i < 25; i += 1) {
    await press('Tab');
    const focus = await page.evaluate(() => {
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(document.activeElement);
      const box = document.activeElement.getBoundingClientRect();
      return { what: document.activeElement.outerHTML.slice(0, 90), seen: (outlineStyle !== 'none' && parseFloat(outlineWidth) > 0) || boxShadow !== 'none', inPage: box.width > 0 && box.height > 0 };
    });
    assert.ok(focus.seen && focus.inPage, JSON.stringify(focus));
  }
}));
