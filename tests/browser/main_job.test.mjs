// The main job over separate processes: the discharge is raised at the device, two officers release, the server dies by
// SIGKILL between release and answer, and the member's answer still arrives on the wall. Nothing is lost, nothing doubled.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { answers, freePort, freePorts, launch, Program, shot } from './harness.mjs';
import { writeU32 } from './modbus_write.mjs';
import { serverFolder } from './server_folder.mjs';

const WALL = { viewport: { width: 1920, height: 1080 } };
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };
const MEMBER = 'mbr-105';
const GAUGE = { unit: 4, register: 4 };
const RAISED_M3S = 22_000;
/** How many others answer for the picture of the wall, and how far each goes. */
const ANSWERING = 90;
const STEPS = [['acknowledge'], ['acknowledge', 'arrive'], ['acknowledge'], ['acknowledge', 'arrive', 'done'], ['acknowledge']];
// A dead server is heard of by pages that ask it.
const DEAD = /Failed to load resource: net::ERR_/;

/** A data folder with an administrator, two duty officers and a grid member. */
function prepare(folder, port, fieldPort) {
  const made = serverFolder(folder, port, fieldPort);
  made.user('add', 'boss', '--role', 'operator');
  for (const name of ['officer-a', 'officer-b']) made.user('add', name, '--role', 'duty', '--no-password');
  made.user('add', 'walker', '--role', 'member', '--member', MEMBER, '--no-password');
  return made;
}

const ask = (page, path) => page.evaluate(async (url) => (await fetch(url)).json(), `/api/v1${path}`);
async function tasksOf(page) {
  const all = [];
  for (let next = ''; next !== null;) {
    const answer = await ask(page, `/tasks${next && `?after=${encodeURIComponent(next)}`}`);
    all.push(...answer.items);
    next = answer.next;
  }
  return all;
}

/** The people of the levee answer, each with an account of their own: most have said 收到, some are there, some are done. */
async function answering(page, { user, token }, origin) {
  const called = [...new Set((await tasksOf(page)).map((task) => task.owner?.member))].filter((id) => id && id !== MEMBER);
  const before = await ask(page, '/situation');
  for (const [i, member] of called.slice(0, ANSWERING).entries()) {
    user('add', member, '--role', 'member', '--member', member, '--no-password');
    const headers = { 'Content-Type': 'application/json' };
    const opened = await (await fetch(`${origin}/api/v1/session`, { method: 'POST', headers, body: JSON.stringify({ token: token(member), device: true }) })).json();
    headers.Authorization = `Bearer ${opened.token}`;
    const own = (await (await fetch(`${origin}/api/v1/tasks?status=issued&limit=6`, { headers })).json()).items;
    for (const { id } of own) {
      for (const step of STEPS[i % STEPS.length]) {
        const reply = await fetch(`${origin}/api/v1/tasks/${id}/${step}`, { method: 'POST', headers: { ...headers, 'Idempotency-Key': `${id}-${step}` }, body: '{}' });
        assert.ok(reply.ok, await reply.text());
      }
    }
  }
  await page.locator('[data-group=acknowledged]').click();
  // A minute after it was settled the bar goes by itself.
  const close = page.getByTestId('activation-pending').getByRole('button', { name: '关闭' });
  if (await close.isVisible()) await close.click();
  const after = await ask(page, '/situation');
  assert.ok(after.answer_rate.answered >= before.answer_rate.answered + ANSWERING * 0.8, JSON.stringify(after.answer_rate));
  const rate = page.getByTestId('answer-rate');
  await page.waitForFunction((least) => Number(document.querySelector('[data-testid=answer-rate]')?.dataset.rate) >= least, after.answer_rate.rate - 0.01, { polling: 100 });
  assert.ok(Number(await rate.getAttribute('data-rate')) > 0.2);
}

async function startServer(config, origin) {
  const server = new Program(['serve', '--config', config]);
  await answers(`${origin}/healthz`, server);
  return server;
}

test('from the register of the gauge to the name on the wall, through a killed server', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'anlan-main-job-'));
  const [port, fieldPort] = [await freePort(), await freePorts(5)];
  const origin = `http://127.0.0.1:${port}`;
  const made = prepare(folder, port, fieldPort);
  const { config, token } = made;
  const field = new Program(['field', '--listen', `127.0.0.1:${fieldPort}`, '--json']);
  let server;
  let chrome;
  try {
    await field.firstJson();
    server = await startServer(config, origin);
    chrome = await launch(origin);
    const a = await chrome.open(`${origin}/hq?token=${token('officer-a')}`, WALL);
    const b = await chrome.open(`${origin}/hq?token=${token('officer-b')}`, WALL);
    const phone = await chrome.open(`${origin}/patrol?token=${token('walker')}`, PHONE);
    const discharge = a.locator('[data-testid=gauge][data-station=huayuankou][data-quantity=discharge]');
    await discharge.and(a.locator('[data-freshness=fresh]')).waitFor();
    const before = Number(await discharge.getAttribute('data-value'));
    assert.ok(before > 0 && before < 10_000, `${before} m³/s`);

    await writeU32(fieldPort, GAUGE.unit, GAUGE.register, RAISED_M3S * 1000);
    await a.locator(`[data-testid=gauge][data-station=huayuankou][data-quantity=discharge][data-value^="${RAISED_M3S}"]`).waitFor({ timeout: 40_000 });
    await a.getByTestId('warning-card').getByText(/建议启动红色/).waitFor({ timeout: 20_000 });
    assert.equal((await ask(a, '/situation')).level.in_force, 'none', 'a proposal is not yet a level');

    await a.getByTestId('discharge-input').fill(String(RAISED_M3S));
    await a.keyboard.press('Enter');
    await a.locator('[data-testid=level-badge][data-scope=preview][data-level=red]').waitFor();
    await a.getByTestId('activate-button').click();
    await a.getByTestId('reason-input').fill('花园口实测超过 15000');
    const hold = await a.getByTestId('activate-hold').boundingBox();
    await a.mouse.move(hold.x + hold.width / 2, hold.y + hold.height / 2);
    await a.mouse.down();
    await a.locator('[data-testid=activation-pending][data-state=asked]').waitFor();
    await a.mouse.up();
    assert.equal(await phone.getByTestId('task-row').count(), 0, 'nothing went out before the second person');
    await b.getByTestId('second-confirm').click();
    await a.locator('[data-testid=level-badge][data-scope=live][data-level=red]').waitFor();
    const ready = phone.getByTestId('ack-button');
    await ready.waitFor();
    const released = await tasksOf(a);
    assert.ok(released.length >= 300, `${released.length} tasks`);
    const mine = await phone.getByTestId('task-row').evaluateAll((rows) => rows.map((row) => row.dataset.id));

    await server.stop('SIGKILL');
    await phone.locator('html[data-link=down], html[data-link=degraded]').waitFor({ timeout: 20_000 });
    server = await startServer(config, origin);
    for (const page of [a, b, phone]) await page.locator('html[data-link=ok]').waitFor({ timeout: 30_000 });

    const back = await phone.getByTestId('task-row').evaluateAll((rows) => rows.map((row) => row.dataset.id));
    for (const id of mine) assert.equal(back.filter((one) => one === id).length, 1, `${id} is there exactly once`);
    assert.equal((await ask(a, '/situation')).level.in_force, 'red');
    const kept = await tasksOf(a);
    // The twin is made anew at the start and sees the raised river: what it calls for then is new, and stands nowhere twice.
    const killed = Math.max(...released.map((task) => Date.parse(task.created_at)));
    const untilKill = (tasks) => tasks.filter((task) => Date.parse(task.created_at) <= killed).map((task) => task.id).sort();
    assert.deepEqual(untilKill(kept), untilKill(released), 'no task lost, none doubled');
    const stands = kept.filter((task) => task.status !== 'withdrawn').map((task) => `${task.code} ${task.place.id} ${task.hazard ?? ''}`);
    assert.equal(new Set(stands).size, stands.length, 'none doubled');

    const card = phone.locator('[data-testid=task-row]:has([data-testid=ack-button])');
    const id = await card.evaluate((row) => row.dataset.id);
    await ready.click();
    await a.locator('[data-group=acknowledged]').click();
    const row = a.locator(`[data-testid=task-row][data-id="${id}"][data-status=acknowledged]`);
    await row.waitFor();
    const task = (await tasksOf(a)).find((each) => each.id === id);
    assert.equal(task.holder, MEMBER);
    assert.ok(task.owner.name.length > 0 && (await row.innerText()).includes(task.owner.name));
    await answering(a, made, origin);
    await shot(a, 'main-job');
    assert.deepEqual(chrome.faults.filter((fault) => !DEAD.test(fault)), []);
  } catch (cause) {
    for (const program of [server, field]) console.error(`last lines of ${program?.name}:\n${program?.log.slice(-20).join('\n')}`);
    throw cause;
  } finally {
    await chrome?.close();
    await server?.stop();
    await field.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});
