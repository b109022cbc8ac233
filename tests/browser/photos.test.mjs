// A photo from the phone's camera to the wall: small first, then whole in its place; what is no picture or too large is
// refused in words.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shot, withDemo } from './harness.mjs';

const WALL = { viewport: { width: 1920, height: 1080 } };
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true, geolocation: { longitude: 113.7122, latitude: 34.9002, accuracy: 8 }, permissions: ['geolocation'] };
const REFUSED = /status of (413|422)/;

/** A camera's picture: a toe of stones under a grey sky, 2000 × 1500, with enough grain to be no small file. */
const picture = (page) => page.evaluate(async () => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 2000, height: 1500 });
  const pen = canvas.getContext('2d');
  pen.fillStyle = '#8fa3ad';
  pen.fillRect(0, 0, 2000, 1500);
  pen.fillStyle = '#7a6a4a';
  pen.fillRect(0, 700, 2000, 800);
  let roll = 7;
  const random = () => { roll = (roll * 16_807) % 2_147_483_647; return roll / 2_147_483_647; };
  for (let i = 0; i < 4000; i += 1) {
    const grey = 90 + Math.floor(random() * 110);
    pen.fillStyle = `rgb(${grey} ${grey - 6} ${grey - 14})`;
    pen.beginPath();
    pen.ellipse(random() * 2000, 780 + random() * 700, 12 + random() * 50, 8 + random() * 30, random() * 3, 0, 7);
    pen.fill();
  }
  const blob = await new Promise((done) => canvas.toBlob(done, 'image/jpeg', 0.95));
  let text = '';
  for (const byte of new Uint8Array(await blob.arrayBuffer())) text += String.fromCharCode(byte);
  return btoa(text);
}).then((base64) => ({ name: 'camera.jpg', mimeType: 'image/jpeg', buffer: Buffer.from(base64, 'base64') }));

async function until(what, limitMs = 10_000) {
  for (const end = Date.now() + limitMs; Date.now() < end; await new Promise((done) => setTimeout(done, 50))) {
    const answer = await what();
    if (answer) return answer;
  }
  return assert.fail(`still not: ${what}`);
}

const reports = (page) => page.evaluate(async () => (await (await fetch('/api/v1/reports')).json()).items);

test('a hazard with a photo: the small one comes first, the whole one takes its place, the wall shows it', () => withDemo({ allow: [REFUSED] }, async ({ demo, open }) => {
  const wall = await open(demo.link, WALL);
  await wall.locator('[data-testid=gauge][data-freshness=fresh]').first().waitFor();
  const phone = await open(demo.accounts.find((account) => account.role === 'member').link, PHONE);
  await phone.locator('html[data-link=ok]').waitFor();

  // The whole photo is held back until the small one has been seen on the wall.
  let letThrough = () => undefined;
  const held = new Promise((done) => { letThrough = done; });
  await phone.route(/\/photos\?size=full/, async (route) => { await held; await route.continue(); });

  await phone.getByTestId('report-button').click();
  await phone.locator('[data-testid=hazard-type][data-type=toe_stone_loss]').click();
  await phone.getByTestId('photo-input').setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('no picture') });
  await phone.getByRole('alert').waitFor();
  assert.match(await phone.getByRole('alert').innerText(), /照片|图片/);
  await phone.getByTestId('photo-input').setInputFiles(await picture(phone));
  await phone.locator('.thumb').first().waitFor();
  await phone.getByTestId('submit-report').click();

  const small = await until(async () => (await reports(wall)).find((report) => report.type === 'toe_stone_loss' && report.photos.length === 1));
  await wall.getByTestId('alarm-row').getByTestId('open-report').first().click();
  const shown = wall.getByTestId('report-photo');
  await shown.first().waitFor();
  assert.equal(await shown.count(), 1);
  assert.equal(await shown.getAttribute('data-id'), small.photos[0].id);
  const widthOf = (image) => image.evaluate(async (node) => { await node.decode(); return node.naturalWidth; });
  assert.ok(await widthOf(shown) <= 320, 'the small one');

  letThrough();
  await wall.locator(`[data-testid=report-photo]:not([data-id="${small.photos[0].id}"])`).waitFor();
  assert.equal(await shown.count(), 1, 'it took the place of the small one');
  const width = await widthOf(shown);
  assert.ok(width > 800 && width <= 1600, `${width} px`);
  assert.equal((await reports(wall)).find((report) => report.id === small.id).photos.length, 1);
  await shot(wall, 'report');

  // The phone hears that headquarters has looked.
  await phone.locator('[data-testid=queue-item][data-state=seen]').first().waitFor();

  // What the server itself refuses, whoever sends it.
  const send = (bytes, name) => phone.evaluate(async ([id, size, file]) => {
    const form = new FormData();
    const content = size === 0 ? new Blob(['<svg onload=alert(1)>'], { type: 'image/jpeg' }) : new Blob([new Uint8Array([0xff, 0xd8, 0xff, 0xe0]), new Uint8Array(size)], { type: 'image/jpeg' });
    form.append('photo', content, file);
    const reply = await fetch(`/api/v1/reports/${id}/photos?size=full&shot=${file.replaceAll(/\W/g, '')}`, { method: 'POST', headers: { 'Idempotency-Key': crypto.randomUUID() }, body: form });
    return [reply.status, reply.headers.get('content-type'), (await reply.json()).detail];
  }, [small.id, bytes, name]);
  const [status, type, words] = await send(0, 'fake.jpg');
  assert.deepEqual([status, type], [422, 'application/problem+json']);
  assert.match(words, /JPEG、PNG 或 WebP/);
  const [tooLarge, , why] = await send(13 << 20, 'huge.jpg');
  assert.equal(tooLarge, 413, why);
  assert.match(why, /照片过大/);
  assert.equal((await reports(wall)).find((report) => report.id === small.id).photos.length, 1, 'nothing of it was kept');
}));
