// A live drill as its director runs it, in real browsers on the real server: start, speed, pause, inject, stop, report;
// its wall and a phone say 【演练】 throughout, and a wall outside it stays on the live river.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withDemo } from './harness.mjs';

const DESK = { viewport: { width: 1440, height: 1200 } };
const WALL = { viewport: { width: 1920, height: 1080 } };
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };
const REFUSED = /status of 40[39]/; // refusals that the scenario asks for
const AS_REAL = 90_000;

const linkOf = (demo, name) => demo.accounts.find((account) => account.name === name).link;
const to = (link, path) => link.replace(/\/(hq|patrol|drill)\?/, `${path}?`);
const ask = (page, path) => page.evaluate(async (url) => (await fetch(url)).json(), `/api/v1${path}`);
const post = (page, path, body) => page.evaluate(async ([url, sent]) => {
  const reply = await fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID() }, body: JSON.stringify(sent) });
  return { status: reply.status, body: await reply.json() };
}, [`/api/v1${path}`, body]);

async function eventually(what, limitMs = AS_REAL) {
  for (const end = Date.now() + limitMs; Date.now() < end; await new Promise((done) => setTimeout(done, 200))) {
    const answer = await what();
    if (answer) return answer;
  }
  return assert.fail(`still not: ${what}`);
}

test('a director runs a drill; every screen of it says so, and the live river is not touched', () => withDemo({ allow: [REFUSED] }, async ({ demo, open, shot }) => {
  const outside = await open(demo.link, WALL);
  await outside.locator('[data-testid=gauge][data-freshness=fresh]').first().waitFor();
  const before = await ask(outside, '/situation');

  // Start: the flood of 1958, from where it first approaches level IV.
  const desk = await open(to(linkOf(demo, 'director'), '/drill'), DESK);
  await desk.getByTestId('drill-flood').selectOption('1958-07');
  await desk.getByText('首次接近Ⅳ级流量').waitFor();
  await shot(desk, 'drill-start');
  await desk.getByTestId('drill-start').click();
  const banner = desk.getByTestId('drill-banner');
  await banner.getByText('【演练】').waitFor();
  await desk.locator('html[data-scope=drill]').waitFor();
  assert.match(await desk.title(), /^【演练】/);
  const { items: [drill] } = await ask(desk, '/drills');
  assert.equal(drill.state, 'running');

  // The drill's wall and a phone in it.
  const wall = await open(`${to(linkOf(demo, 'duty-b'), '/hq')}&drill=${drill.id}`, WALL);
  await wall.locator('html[data-scope=drill]').waitFor();
  await wall.getByTestId('drill-banner').getByText('【演练】').waitFor();
  await wall.locator('[data-testid=clock][data-kind=drill]').waitFor();
  const member = demo.accounts.find((account) => account.role === 'member');
  const phone = await open(`${member.link}&drill=${drill.id}`, PHONE);
  await phone.locator('html[data-scope=drill]').waitFor();
  await phone.getByTestId('drill-banner').getByText('【演练】').waitFor();

  // The virtual duty officers put a level in force; the phone gets its tasks.
  await wall.locator('[data-testid=level-badge][data-scope=drill]:not([data-level=none])').waitFor({ timeout: AS_REAL });
  await phone.getByTestId('task-row').first().waitFor({ timeout: AS_REAL });
  assert.match(await phone.getByTestId('task-row').first().innerText(), /【演练】/);

  // Faster, then a pause: the clock of every screen stands.
  await desk.locator('[data-testid=drill-speed]').selectOption('600');
  await banner.getByText('×600').waitFor();
  await desk.getByTestId('drill-pause').click();
  await banner.getByText('演练暂停在').waitFor();
  const stands = (await ask(desk, `/drills/${drill.id}`)).now;
  await wall.locator('[data-testid=clock][data-speed="0"]').waitFor({ timeout: AS_REAL });
  assert.equal((await ask(desk, `/drills/${drill.id}`)).now, stands);
  await shot(wall, 'drill-wall');
  await shot(phone, 'drill-phone');

  // Injects: refused to players, chosen by name by the director.
  const refused = await post(wall, `/drills/${drill.id}/inject`, { kind: 'dead', target: 'jiahetan' });
  assert.equal(refused.status, 403);
  await desk.getByTestId('inject-kind').selectOption('dead');
  await desk.getByTestId('inject-target').selectOption({ label: '夹河滩（整站）' });
  await desk.getByTestId('inject-for').fill('120');
  await desk.getByTestId('inject').click();
  await desk.locator('[data-testid=inject-row][data-kind=dead]').waitFor();
  await desk.getByTestId('inject-kind').selectOption('rumour');
  await desk.getByTestId('inject-target').selectOption('chainage');
  await desk.getByTestId('inject-metres').fill('3200');
  await desk.getByTestId('inject').click();
  await desk.locator('[data-testid=inject-row][data-kind=rumour]').waitFor();
  const seen = (await ask(wall, `/journal?drill=${drill.id}&limit=1000`)).items;
  assert.ok(seen.length > 0 && seen.every((fact) => fact.fact !== 'injected'), 'players read nothing of it');
  await desk.getByTestId('drill-pause').click();
  const reports = () => ask(wall, `/reports?drill=${drill.id}`).then(({ items }) => items.find((each) => each.text?.startsWith('【演练】')));
  await eventually(reports);
  await desk.locator('[data-testid=inject-row][data-kind=dead]').filter({ hasText: '告警' }).waitFor({ timeout: AS_REAL });
  await shot(desk, 'drill-desk');

  // Outside: a small notice, nothing else. (The live demo's own clock goes on.)
  await outside.getByTestId('drill-banner').getByText('有一场演练正在进行').waitFor();
  assert.equal(await outside.locator('html').getAttribute('data-scope'), 'live');
  const after = await ask(outside, '/situation');
  assert.deepEqual([after.level.in_force, after.tasks.total, after.scope], [before.level.in_force, before.tasks.total, 'live']);

  // Stop asks first; then the report opens, as page, PDF and table.
  await desk.getByTestId('drill-stop').click();
  await shot(desk, 'drill-stop');
  await desk.getByTestId('drill-stop-yes').click();
  await banner.getByText('演练已结束').waitFor();
  // Its wall and its phone say so; the phone takes no call for help any more and leads to where one is heard.
  await wall.locator('[data-testid=drill-banner][data-state=drillOver]').waitFor();
  assert.doesNotMatch(await wall.locator('[data-testid=drill-banner]').innerText(), /×/, 'no speed beside a clock that stands');
  await phone.locator('[data-testid=drill-banner][data-over=true]').waitFor();
  assert.equal(await phone.getByTestId('sos-button').count(), 0);
  assert.equal(await phone.getByTestId('drill-over-real').getAttribute('href'), '/patrol');
  await shot(phone, 'drill-phone-over');
  const late = await post(desk, `/drills/${drill.id}/inject`, { kind: 'dead', target: 'jiahetan' });
  assert.equal(late.status, 409);
  assert.match(late.body.detail, /已结束/);
  const href = await desk.locator('[data-testid=report-export][data-format=html]').getAttribute('href');
  const report = await open(to(linkOf(demo, 'commander'), '/drill'), DESK);
  await report.getByTestId('drill-row').first().waitFor();
  await report.goto(demo.url + href);
  await report.getByRole('heading', { level: 1 }).getByText('【演练】').waitFor();
  await report.getByText('导调注入与反应').waitFor();
  await shot(report, 'drill-report');
  const files = await desk.evaluate(async (id) => Promise.all(['pdf', 'csv'].map(async (format) => {
    const reply = await fetch(`/api/v1/drills/${id}/report?format=${format}`);
    const bytes = new Uint8Array(await reply.arrayBuffer());
    return [reply.status, reply.headers.get('content-type'), String.fromCharCode(...bytes.slice(0, 5)), bytes.length];
  })), drill.id);
  assert.deepEqual(files[0].slice(0, 3), [200, 'application/pdf', '%PDF-']);
  assert.deepEqual(files[1].slice(0, 2), [200, 'text/csv; charset=utf-8']);
  await desk.locator(`[data-testid=drill-row][data-id=${drill.id}][data-state=done]`).waitFor();
}));
