// The door of a server that nobody administers yet, and what a role without the right may not see.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withDemo } from './harness.mjs';
import { withServer } from './server_folder.mjs';

const LINK = /http:\/\/\S+\/setup\?token=\S+/;
const PASSWORD = 'nine yellow river bends';

test('without an administrator only the setup opens, once, with the token of the console', () => withServer({}, async ({ origin, server, chrome }) => {
  for (const path of ['/', '/hq', '/patrol', '/drill', '/login']) {
    const reply = await fetch(origin + path, { redirect: 'manual' });
    assert.deepEqual([path, reply.status, reply.headers.get('location')], [path, 307, '/setup']);
  }
  for (const path of ['/situation', '/tasks', '/members', '/stream', '/journal']) {
    assert.deepEqual([path, (await fetch(`${origin}/api/v1${path}`)).status], [path, 403]);
  }
  const setUp = (token) => fetch(`${origin}/api/v1/setup`, {
    method: 'POST', headers: { 'Content-Type': 'application/json', 'Idempotency-Key': token }, body: JSON.stringify({ token, name: 'thief', password: PASSWORD }),
  });
  const wrong = await setUp('not-the-token');
  assert.ok(wrong.status >= 400 && wrong.status < 500, String(wrong.status));

  const link = server.log.map((line) => LINK.exec(line)?.[0]).find(Boolean);
  assert.ok(link, server.log.join('\n'));
  const page = await chrome.open(link);
  assert.equal(await page.getByTestId('setup-token').inputValue(), new URL(link).searchParams.get('token'));
  await page.getByTestId('login-name').fill('head');
  await page.getByTestId('login-password').fill('short');
  await page.getByTestId('login-submit').click();
  await page.getByRole('alert').waitFor();
  await page.getByTestId('login-password').fill(PASSWORD);
  await page.locator('#setup-again').fill(PASSWORD);
  await page.getByTestId('login-submit').click();
  await page.getByRole('status').waitFor();

  const again = await setUp(new URL(link).searchParams.get('token'));
  assert.ok(again.status >= 400 && again.status < 500, `the token opens once, not ${again.status}`);
  await page.goto(`${origin}/hq`);
  await page.locator('html[data-link=ok]').waitFor();
  await page.locator('[data-testid=map][data-state=idle]').waitFor();
  assert.equal((await fetch(`${origin}/api/v1/situation`)).status, 401, 'others have to sign in now');
  assert.deepEqual(chrome.faults, []);
}));

test('names and phones are masked; only a role with the right reveals one', () => withDemo({ allow: [/status of 403/] }, async ({ demo, open }) => {
  const link = (name) => demo.accounts.find((account) => account.name === name).link;
  const reveal = (page, member) => page.evaluate(async (id) => {
    const reply = await fetch(`/api/v1/members/${id}/reveal`, { method: 'POST', headers: { 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID() }, body: '{}' });
    return { status: reply.status, body: await reply.json() };
  }, member);
  const duty = await open(link('duty-a'), { viewport: { width: 1920, height: 1080 } });
  await duty.getByTestId('evac-row').first().waitFor();
  const wall = await duty.locator('body').innerText();
  assert.doesNotMatch(wall, /\b1\d{10}\b/, 'no whole phone number');
  const members = await duty.evaluate(async () => (await (await fetch('/api/v1/members')).json()).items);
  assert.ok(members.length > 0 && members.every((each) => each.name.includes('某') && each.phone.includes('****')), JSON.stringify(members[0]));
  const { member_id } = demo.accounts.find((account) => account.role === 'member');
  assert.equal((await reveal(duty, member_id)).status, 403);

  const commander = await open(link('commander'), { viewport: { width: 1920, height: 1080 } });
  await commander.getByTestId('gauge').first().waitFor();
  const { status, body } = await reveal(commander, member_id);
  assert.equal(status, 200, JSON.stringify(body));
  assert.match(body.phone, /^\d{8,}$/);
  assert.doesNotMatch(body.name, /某某/);
}));
