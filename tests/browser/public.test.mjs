// What a stranger tells the duty officer, from the phone to the hazard: what is missing is said in words, a lost answer
// makes no second tip, headquarters sees it without the caller's number and takes it or closes it, and whoever sends too
// much is told so.
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { test } from 'node:test';
import { shot } from './harness.mjs';
import { withServer } from './server_folder.mjs';

const WALL = { viewport: { width: 1920, height: 1080 } };
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };
/** The first tip, whose repetition does not count, and the second; what comes after is too much. */
const PER_HOUR = 2;
const TEXT = '堤脚冒浑水，我的电话 13812345678';
const PLACE = '花园口村东';
const CHAINAGE_M = 9180;
/** What a camera writes into its picture; no place of the server may keep it. */
const CAMERA = 'Exif\0\0 34.9001N 113.7122E phone of the caller';
const HOLD_LIMIT_MS = 20_000;
// The lost answer, who is not signed in, a tip without a place, too many tips.
const ON_PURPOSE = /net::ERR_FAILED|status of (401|422|429)/;

function prepare({ config, user }) {
  user('add', 'boss', '--role', 'operator');
  user('add', 'officer', '--role', 'duty', '--no-password');
  user('add', 'chief', '--role', 'commander', '--no-password');
  appendFileSync(config, `\n[public_reports]\nper_hour = ${PER_HOUR}\nall_per_hour = 100\n`);
}

/** A picture as a phone makes one: water at the toe, 800 × 600, with what the camera wrote between its head and its body. */
async function picture(page) {
  const base64 = await page.evaluate(() => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 800, height: 600 });
    const pen = canvas.getContext('2d');
    pen.fillStyle = '#7a6a4a';
    pen.fillRect(0, 0, 800, 600);
    pen.fillStyle = '#8fa3ad';
    pen.fillRect(0, 400, 800, 200);
    return canvas.toDataURL('image/jpeg', 0.9).split(',')[1];
  });
  const plain = Buffer.from(base64, 'base64');
  const written = Buffer.concat([Buffer.from([0xff, 0xe1, 0, CAMERA.length + 2]), Buffer.from(CAMERA, 'latin1')]);
  return { name: 'toe.jpg', mimeType: 'image/jpeg', buffer: Buffer.concat([plain.subarray(0, 2), written, plain.subarray(2)]) };
}

/** A picture that no network of the levee carries: noise, 2400 × 1800, above what the server takes. */
async function heavyPicture(page) {
  const base64 = await page.evaluate(() => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 2400, height: 1800 });
    const pen = canvas.getContext('2d');
    const noise = pen.createImageData(2400, 1800);
    const words = new Uint32Array(noise.data.buffer);
    for (let i = 0, seed = 1; i < words.length; i += 1) {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      words[i] = seed | 0xff000000;
    }
    pen.putImageData(noise, 0, 0);
    return canvas.toDataURL('image/png').split(',')[1];
  });
  const buffer = Buffer.from(base64, 'base64');
  assert.ok(buffer.length > 5 << 20, `${buffer.length} bytes`);
  return { name: 'noise.png', mimeType: 'image/png', buffer };
}

/** Holds back the next answer to a report until `lose` drops it: the server has the report, the phone heard nothing. */
async function holdAnswer(page) {
  const line = await page.context().newCDPSession(page);
  await line.send('Fetch.enable', { patterns: [{ urlPattern: '*/api/v1/public/reports', requestStage: 'Response' }] });
  const held = new Promise((done, fail) => {
    line.once('Fetch.requestPaused', done);
    setTimeout(() => fail(new Error('no answer to hold back')), HOLD_LIMIT_MS).unref();
  });
  return {
    held,
    lose: async () => {
      await line.send('Fetch.failRequest', { requestId: (await held).requestId, errorReason: 'Failed' });
      await line.detach();
    },
  };
}

test('a stranger tells what he sees, once; headquarters takes it for a hazard or closes it; too many are refused in words', () => withServer({ prepare, allow: ON_PURPOSE }, async ({ origin, token, chrome: { open } }) => {
  const wall = await open(`${origin}/hq?token=${token('officer')}`, WALL);
  await wall.locator('html[data-link=ok]').waitFor();
  const ask = async (path) => (await wall.request.get(`${origin}/api/v1${path}`)).json();
  const tips = async () => (await ask('/reports')).items.filter((report) => report.kind === 'tip');
  const alarm = async (report) => (await ask('/alarms')).items.find((each) => each.id === `report:${report}`);

  const phone = await open(`${origin}/public`, PHONE);
  const posts = [];
  phone.on('request', (request) => { if (request.method() === 'POST') posts.push(request.headers()['idempotency-key']); });
  const send = phone.getByTestId('public-send');
  const done = phone.getByTestId('public-done');

  // What is missing is said; nothing is sent before it is there.
  await send.waitFor();
  assert.match(await phone.locator('main').innerText(), /119/);
  const lacks = phone.getByTestId('public-lacks');
  await send.tap();
  assert.equal(await lacks.innerText(), '请写明情况或附照片');
  await phone.getByTestId('public-text').fill(TEXT);
  await send.tap();
  assert.equal(await lacks.innerText(), '请写明地点，或带上位置');
  await phone.getByTestId('public-place').fill(PLACE);
  await phone.getByTestId('public-photos').setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('no picture') });
  await phone.getByRole('alert').filter({ hasText: 'notes.txt 打不开或不是照片' }).waitFor();
  await phone.getByTestId('public-photos').setInputFiles(await picture(phone));
  await phone.getByText('1 张照片').waitFor();
  assert.equal(await phone.getByRole('alert').count(), 0, 'the picture is taken');
  assert.equal(await lacks.count(), 0);
  assert.deepEqual(posts, []);
  assert.ok(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing is wider than the phone');

  // A double tap, and an answer that is lost: he sends again, and it is one tip.
  const answer = await holdAnswer(phone);
  await send.dblclick();
  await answer.held;
  assert.equal(posts.length, 1, 'a double tap sends once');
  await answer.lose();
  assert.match(await phone.getByTestId('public-unsent').innerText(), /没有发出.*再点一次/);
  assert.equal(await phone.getByTestId('public-text').inputValue(), TEXT, 'what he typed is kept');
  const [tip, ...more] = await tips();
  assert.ok(tip && more.length === 0, 'the server had it');
  await send.tap();
  await done.waitFor();
  assert.ok(posts.length === 2 && posts[0] === posts[1], `the same request again: ${posts}`);
  assert.equal(await done.innerText(), `已收到，编号 ${tip.id}。值班人员会核实。`);
  assert.equal((await tips()).length, 1, 'one tip');
  await shot(phone, 'public');

  // He learns nothing of anybody: nothing on his page, nothing by asking.
  assert.doesNotMatch(await phone.locator('body').innerText(), /1\d{10}|\*{4}|某/);
  for (const path of ['/reports', '/members', '/alarms', `/photos/${tip.photos[0].id}`]) {
    assert.equal((await phone.request.get(`${origin}/api/v1${path}`)).status(), 401, path);
  }

  // The wall has it at once, as something that counts for nothing yet, without his number.
  const row = wall.locator(`[data-testid=alarm-row][data-id="report:${tip.id}"]`);
  await row.waitFor();
  assert.deepEqual([(await alarm(tip.id)).severity, await row.getAttribute('data-kind')], ['info', 'tip']);
  const openTips = async () => {
    await wall.locator('header .who').click();
    return wall.getByTestId('open-tips');
  };
  assert.equal(await wall.getByTestId('tips-waiting').innerText(), '线索 1', 'it waits in sight, not in a menu alone');
  const entry = await openTips();
  assert.match(await entry.innerText(), /公众与视频线索 1$/);
  await entry.click();
  const line = wall.getByTestId('tip');
  await line.waitFor();
  assert.equal(await line.count(), 1);
  const told = await line.innerText();
  assert.ok(told.includes(`堤脚冒浑水，我的电话 138****5678（${PLACE}）`) && told.includes('照片 1 张'), told);
  await line.getByRole('button').click();
  const shown = wall.getByTestId('report-photo');
  await shown.waitFor();
  assert.equal(await shown.evaluate(async (node) => { await node.decode(); return node.naturalWidth; }), 800);
  const kept = await (await wall.request.get(`${origin}/api/v1/photos/${tip.photos[0].id}`)).body();
  assert.ok(kept.length > 1000 && !kept.includes('Exif') && !kept.includes('113.7122E'), 'what the camera wrote is gone');
  assert.doesNotMatch(await wall.locator('body').innerText(), /13812345678/);
  await shot(wall, 'tip');

  // To call him back: the officer has no right to the number, the commander has, and the journal says so.
  assert.equal(await wall.getByTestId('report-reveal').getAttribute('aria-disabled'), 'true');
  const chief = await open(`${origin}/hq?token=${token('chief')}`, WALL);
  await chief.getByTestId('tips-waiting').click();
  await chief.getByTestId('tip').getByRole('button').click();
  const words = chief.getByTestId('report-text');
  await words.waitFor();
  assert.match(await words.innerText(), /138\*{4}5678/);
  await chief.getByTestId('report-reveal').click();
  await words.filter({ hasText: '13812345678' }).waitFor();
  await chief.getByTestId('report-reveal').click();
  await words.filter({ hasText: '138****5678' }).waitFor();
  await chief.close();

  // Nobody can send people to nowhere: without a place it is refused in words and stays a tip; with one it is a hazard.
  const dialog = wall.getByTestId('report-dialog');
  await dialog.getByTestId('tip-type').selectOption('piping');
  await dialog.getByTestId('tip-adopt').click();
  assert.match(await dialog.getByRole('alert').innerText(), /桩号|地点|位置/);
  assert.deepEqual((await ask('/reports')).items.map((report) => [report.kind, report.state]), [['tip', 'open']]);
  await dialog.getByTestId('tip-chainage').fill(String(CHAINAGE_M));
  await dialog.getByTestId('tip-grade').selectOption('3');
  await dialog.getByTestId('tip-adopt').click();
  await dialog.waitFor({ state: 'detached' });
  const hazards = (await ask('/reports')).items.filter((report) => report.kind === 'hazard');
  assert.equal(hazards.length, 1);
  const [hazard] = hazards;
  assert.deepEqual([hazard.type, hazard.state, hazard.place.chainage, hazard.photos.map((photo) => photo.id)], ['piping', 'open', CHAINAGE_M, tip.photos.map((photo) => photo.id)]);
  assert.equal((await tips())[0].state, 'resolved', 'the tip ended in the same step');
  const taken = wall.locator(`[data-testid=alarm-row][data-id="report:${hazard.id}"][data-kind=hazard]`);
  await taken.waitFor();
  assert.match(await taken.innerText(), /K9\+180/);
  await row.waitFor({ state: 'detached' });
  assert.equal((await alarm(hazard.id)).severity, 'critical', 'the officer said grade 3');

  // In English: another one, which the officer closes.
  await phone.getByRole('button', { name: '再报一条' }).tap();
  await phone.getByTestId('lang-switch').tap();
  await phone.getByText('call 119 or 110 first').waitFor();
  const tell = async (text) => {
    await phone.getByTestId('public-text').fill(text);
    await phone.getByTestId('public-place').fill('the old ferry');
    await send.tap();
  };
  assert.equal(await phone.getByTestId('public-text').inputValue(), '', 'the form is empty again');
  await send.tap();
  assert.equal(await lacks.innerText(), 'Say what you see, or add a photo');
  await phone.getByTestId('public-photos').setInputFiles(await heavyPicture(phone));
  await phone.getByText('1 photos').waitFor();
  await tell('a dog on the crest');
  await done.waitFor();
  const second = (await tips()).find((each) => each.state === 'open');
  assert.equal(await done.innerText(), `Received, number ${second.id}. An officer will look at it.`);
  assert.deepEqual([second.text, second.photos.length], ['a dog on the crest（the old ferry）', 1]);
  const small = await (await wall.request.get(`${origin}/api/v1/photos/${second.photos[0].id}`)).body();
  assert.ok(small.length <= 300 << 10, `the page made it small: ${small.length} bytes`);
  const dull = wall.locator(`[data-testid=alarm-row][data-id="report:${second.id}"]`);
  await dull.getByTestId('open-report').click();
  await dialog.getByRole('button', { name: '关闭线索' }).click();
  await dull.waitFor({ state: 'detached' });
  assert.deepEqual((await tips()).map((each) => each.state), ['resolved', 'false-alarm']);
  assert.equal((await ask('/reports')).items.filter((report) => report.kind === 'hazard').length, 1, 'closing makes no hazard');
  await wall.keyboard.press('Escape');
  assert.match(await (await openTips()).innerText(), /公众与视频线索$/, 'none is open');
  assert.equal(await wall.getByTestId('tips-waiting').count(), 0);

  // Too many within the hour: in words, in the language of the page, with whom to call instead.
  await phone.getByRole('button', { name: 'Report something else' }).tap();
  await tell('and another dog');
  const refused = phone.getByRole('alert');
  await refused.waitFor();
  assert.match(await refused.innerText(), /^too many reports; in an emergency call 119 or 110/);
  assert.equal(await phone.getByTestId('public-text').inputValue(), 'and another dog', 'what he typed is kept');
  assert.equal((await tips()).length, 2);
}));
