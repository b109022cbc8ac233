// The harness itself: a page that misbehaves must be caught, a quiet one must not.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { answers, freePort, launch, Program, shot } from './harness.mjs';

/** Serves one page, runs `body`, closes everything. */
async function withPage(html, body) {
  const server = createServer((request, reply) => {
    reply.setHeader('content-type', 'text/html; charset=utf-8');
    reply.end(request.url === '/' ? html : '');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${server.address().port}`;
  const chrome = await launch(origin);
  try {
    await body(chrome, origin);
  } finally {
    await chrome.close();
    server.closeAllConnections();
    server.close();
  }
}

test('a quiet page has no faults and its picture is kept', async () => {
  await withPage('<title>安澜</title><link rel=icon href="data:,"><h1>平时</h1>', async (chrome, origin) => {
    const page = await chrome.open(origin);
    assert.equal(await page.title(), '安澜');
    assert.deepEqual(chrome.faults, []);
    assert.ok(statSync(await shot(page, 'harness')).size > 1000);
  });
});

test('console errors, page errors and requests that leave the server are caught', async () => {
  const port = await freePort();
  const html = `<link rel=icon href="data:,"><script>
    console.error('first');
    fetch('http://127.0.0.1:${port}/elsewhere').catch(() => {});
    setTimeout(() => { document.title = 'done'; throw new Error('second'); }, 50);
  </script>`;
  await withPage(html, async (chrome, origin) => {
    const page = await chrome.open(origin);
    await page.waitForFunction(() => document.title === 'done');
    const caught = (pattern) => chrome.faults.some((fault) => pattern.test(fault));
    assert.ok(caught(/console error .*first/), String(chrome.faults));
    assert.ok(caught(/page error .*second/), String(chrome.faults));
    assert.ok(caught(/leaves the server: .*elsewhere/), String(chrome.faults));
  });
});

test('a program that ends early is reported with its last words', async () => {
  const program = new Program(['config', 'check', 'no-such-file.toml']);
  await assert.rejects(program.firstJson(), /ended early \(1\)[\s\S]*no-such-file\.toml/);
  const port = await freePort();
  await assert.rejects(answers(`http://127.0.0.1:${port}/healthz`, program, 200), /ECONNREFUSED/);
});
