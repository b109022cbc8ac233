// The patrol phone in a real browser, against a stand-in server that misbehaves on purpose.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launch, shot } from './harness.mjs';
import { StandIn } from './patrol_standin.mjs';

const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true, geolocation: { longitude: 113.7122, latitude: 34.9002, accuracy: 8 }, permissions: ['geolocation'] };
const NETWORK = /Failed to load resource/; // the faults that a scenario makes on purpose

/** A picture that is larger than the phone may send: 2400 × 1800 of noise. */
const bigPicture = (page) => page.evaluate(async () => {
  const canvas = document.createElement('canvas');
  canvas.width = 2400;
  canvas.height = 1800;
  const pen = canvas.getContext('2d');
  const dots = pen.createImageData(2400, 1800);
  for (let i = 0; i < dots.data.length; i += 4) dots.data.set([(i * 7919) % 251, (i * 104_729) % 241, (i * 1_299_709) % 239, 255], i);
  pen.putImageData(dots, 0, 0);
  const blob = await new Promise((done) => canvas.toBlob(done, 'image/jpeg', 0.95));
  let text = '';
  for (const byte of new Uint8Array(await blob.arrayBuffer())) text += String.fromCharCode(byte);
  return btoa(text);
}).then((base64) => ({ name: 'camera.jpg', mimeType: 'image/jpeg', buffer: Buffer.from(base64, 'base64') }));

async function withPhone(body) {
  const server = new StandIn();
  await server.listen();
  const chrome = await launch(server.origin);
  try {
    const page = await chrome.open(`${server.origin}/patrol`, PHONE);
    await page.getByTestId('task-row').first().waitFor();
    await body({ server, page, id: (name) => page.getByTestId(name) });
    assert.deepEqual(chrome.faults.filter((fault) => !NETWORK.test(fault)), []);
  } finally {
    await chrome.close();
    await server.close();
  }
}

async function until(what, limitMs = 8000) {
  const end = Date.now() + limitMs;
  while (!(await what())) {
    assert.ok(Date.now() < end, `still not true: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

async function report(page, type) {
  await page.getByTestId('report-button').click();
  await page.locator(`[data-testid=hazard-type][data-type=${type}]`).click();
}

test('one button leads from 收到 to 完成, with a photo', () => withPhone(async ({ server, page, id }) => {
  assert.equal(await page.locator('html').getAttribute('data-scope'), 'live');
  const box = await id('ack-button').boundingBox();
  assert.ok(box.height >= 64 && box.y >= 844 * 0.4, JSON.stringify(box));
  await id('ack-button').click();
  await page.locator('[data-testid=task-row][data-status=acknowledged]').waitFor();
  await id('arrive-button').click();
  await id('photo-input').setInputFiles(await bigPicture(page));
  await page.getByText('完成 · 1 张照片').waitFor();
  await id('done-button').click();
  await until(() => server.reports[0]?.photos.length === 2);
  assert.deepEqual(server.moves.map(([, move]) => move), ['acknowledge', 'arrive', 'done']);
  assert.deepEqual([server.reports[0].kind, server.reports[0].task], ['task', 'tsk-1']);
  const [thumb, photo] = server.reports[0].photos;
  assert.ok(thumb.size <= 40 * 1024 && photo.size <= 300 * 1024 && photo.size > thumb.size, JSON.stringify([thumb, photo]));
}));

test('去不了 tells the reason with one tap', () => withPhone(async ({ server, page, id }) => {
  await id('decline-button').click();
  await page.locator('[data-testid=decline-reason][data-reason=road-cut]').click();
  await until(() => server.moves.length === 1);
  assert.deepEqual(server.moves[0], ['tsk-1', 'decline', { reason: 'road-cut' }]);
}));

test('a new task shows and is counted at once; its evidence can be read', () => withPhone(async ({ server, page, id }) => {
  server.hand({ id: 'tsk-2', code: 'B15-009', title: { zh: '每 10 分钟一遍', en: 'Every 10 min' }, issued_at: new Date().toISOString() });
  await page.locator('[data-testid=task-row][data-code=B15-009]').waitFor();
  assert.equal(await id('task-row').first().getAttribute('data-code'), 'B15-009');
  await id('why-button').click();
  await id('why-panel').getByText('值班表上是你').waitFor();
}));

test('an offline report with two photos survives a reload and is delivered once', () => withPhone(async ({ server, page, id }) => {
  const picture = await bigPicture(page);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.context().setOffline(true);
  await report(page, 'toe_stone_loss');
  await id('photo-input').setInputFiles([picture, picture]);
  await page.locator('.thumb').nth(1).waitFor();
  await id('submit-report').click();
  await id('queue-count').waitFor();
  assert.equal(await id('queue-count').getAttribute('data-count'), '1');
  await page.reload();
  await id('task-row').first().waitFor();
  assert.equal(await id('queue-count').getAttribute('data-count'), '1');
  assert.equal(await page.locator('html').getAttribute('data-link'), 'down');
  await shot(page, 'patrol-offline');
  assert.equal(server.reports.length, 0);
  await page.context().setOffline(false);
  await page.locator('[data-testid=queue-item][data-state=delivered]').waitFor();
  assert.equal(server.reports.length, 1);
  assert.deepEqual([server.reports[0].type, server.reports[0].place.side !== undefined, server.reports[0].photos.length], ['toe_stone_loss', true, 4]);
  assert.match(server.reports[0].photos.map((photo) => photo.name).join(), /^thumb.*,thumb.*,photo.*,photo/);
  server.push('report', { ...server.reports[0], by: {}, seen_by: 'duty' });
  await page.locator('[data-testid=queue-item][data-state=seen]').waitFor();
}));

test('a lost reply makes no second report', () => withPhone(async ({ server, page, id }) => {
  server.loseReplies = true;
  await report(page, 'piping');
  await id('submit-report').click();
  await until(() => server.reports.length === 1);
  await page.locator('[data-testid=queue-item][data-state=queued]').waitFor();
  server.loseReplies = false;
  await page.locator('[data-testid=queue-item][data-state=delivered]').waitFor();
  assert.equal(server.reports.length, 1);
}));

test('a refused report stays with its reason, can be edited and sent again; signing out is refused meanwhile', () => withPhone(async ({ server, page, id }) => {
  server.refusal = { title: 'bad report', status: 422, detail: '桩号不在本段', field: 'place.chainage' };
  await report(page, 'crack');
  await id('submit-report').click();
  const failed = page.locator('[data-testid=queue-item][data-state=failed]');
  await failed.getByText('桩号不在本段').waitFor();
  await id('me-button').click();
  await id('sign-out').click();
  await id('sign-out-refused').waitFor();
  server.refusal = null;
  await id('queue-edit').click();
  await id('report-chainage').fill('K9+700');
  await id('submit-report').click();
  await page.locator('[data-testid=queue-item][data-state=delivered]').waitFor();
  assert.deepEqual(server.reports.map((sent) => sent.place.chainage), [9700]);
}));

test('SOS: a second is nothing, two seconds and no undo call until someone answers', () => withPhone(async ({ server, page, id }) => {
  const box = await id('sos-button').boundingBox();
  const hold = async (ms) => {
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.down();
    await page.waitForTimeout(ms);
    await page.mouse.up();
  };
  await hold(1000);
  await page.waitForTimeout(300);
  assert.equal(await id('sos-undo').count(), 0);
  await hold(2300);
  await id('sos-undo').click();
  await page.waitForTimeout(5500);
  assert.equal(server.calls.length, 0);
  await hold(2300);
  await id('sos-undo').waitFor();
  await until(() => server.calls.length === 1);
  assert.equal(typeof server.calls[0].place.chainage, 'number');
  await page.locator('[data-testid=sos-screen][data-state=calling]').waitFor();
  server.push('report', { id: 'rpt-91', kind: 'sos', state: 'open', seen_by: 'duty' });
  await page.locator('[data-testid=sos-screen][data-state=answered]').waitFor();
}));

test('an order to leave covers everything, says 演练 in a drill, and ends with 我已到安全处', () => withPhone(async ({ server, page, id }) => {
  server.drill = true;
  server.tasks.push({ ...server.tasks[0], id: 'tsk-7', code: 'H-048', life_safety: true, retreat: true, category: 'hazard', title: { zh: '撤退信号', en: 'Leave' }, text: '沿堤顶向两侧撤到集合点，班长点名报齐。' });
  await page.reload();
  await id('retreat-alarm').getByText('【演练】').first().waitFor();
  assert.match(await page.title(), /^【演练】/);
  assert.equal(await page.locator('html').getAttribute('data-scope'), 'drill');
  await id('ack-button').click();
  await id('done-button').click();
  await until(() => server.moves.length === 3);
  await id('retreat-alarm').waitFor({ state: 'detached' });
  assert.match(await id('task-row').first().innerText(), /【演练】/);
}));

test('water at his own place covers everything, also after a reload, until he is safe; both answers reach headquarters once, lost replies or not', () => withPhone(async ({ server, page, id }) => {
  const at = new Date(Date.now() - 60_000).toISOString();
  const alarm = {
    id: 'water:scenic-huayuankou', severity: 'critical', kind: 'water', cause: 'water:scenic-huayuankou', count: 1, since: at, last: at, state: 'new', acked_by: null, acked_at: null, shelved_until: null,
    title: { zh: '立即撤离 花园口观河区：预计 07-28 23:25 进水，我方 1 人在场或正前往，逐人确认撤出', en: 'leave now' },
    place: { id: 'scenic-huayuankou', kind: 'scenic', name: { zh: '花园口观河区', en: 'Huayuankou view' }, lon: 113.67, lat: 34.91 },
  };
  server.water = [alarm];
  server.push('leave', { items: server.water });
  await id('water-alarm').getByText('花园口观河区').first().waitFor();
  await shot(page, 'patrol-water');
  assert.equal(await id('sos-button').count(), 1, 'SOS stays within reach');
  server.loseReplies = true;
  await page.reload();
  await id('water-alarm').waitFor();
  await id('water-answer').click();
  await page.locator('[data-testid=water-alarm][data-next=safe]').waitFor();
  server.loseReplies = false;
  await until(() => server.reports.length === 1, 20_000);
  await id('water-answer').click();
  await id('water-alarm').waitFor({ state: 'detached' });
  await until(() => server.reports.length === 2, 20_000);
  assert.deepEqual(server.reports.map((report) => [report.kind, report.type]), [['patrol', 'leaving'], ['patrol', 'safe']]);
  // What ended and comes again is a new alarm.
  server.push('leave', { items: [] });
  server.push('leave', { items: [{ ...alarm, since: new Date().toISOString() }] });
  await id('water-alarm').waitFor();
}));

test('no target is too small, in both languages, light and dark, large text', () => withPhone(async ({ page, id }) => {
  const small = () => page.evaluate(() => [...document.querySelectorAll('button, a[href], input:not(.sr-only), label.p-mid')].filter((it) => it.checkVisibility())
    .map((it) => ({ it: it.textContent.trim() || it.getAttribute('aria-label'), ...it.getBoundingClientRect().toJSON() })).filter((box) => box.height < 51.5 || box.width < 48).map((box) => `${box.it} ${box.width}×${box.height}`));
  for (const pane of ['tasks-button', 'report-button', 'map-button', 'me-button']) {
    await id(pane).click();
    assert.deepEqual(await small(), [], pane);
  }
  for (const change of ['lang-switch', 'theme-switch', 'large-switch']) {
    await id(change).click();
    for (const pane of ['tasks-button', 'report-button', 'map-button']) {
      await id(pane).click();
      assert.deepEqual(await small(), [], `${pane} after ${change}`);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), `${pane} fits after ${change}`);
    }
    await id('me-button').click();
  }
  await shot(page, 'patrol-large-light-en');
}));
