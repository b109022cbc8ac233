// Starts the built server on a free port with a private data folder, opens a real Chromium on it, and fails the test
// on any console error, page error, or request that leaves the server. Pictures go to target/browser/.
//
//   import { test } from 'node:test';
//   import { withDemo } from './harness.mjs';
//   test('the wall shows gauges', () => withDemo({}, async ({ demo, open, shot }) => {
//     const page = await open(demo.link, { viewport: { width: 1920, height: 1080 } });
//     await page.getByTestId('gauge').first().waitFor();
//     await shot(page, 'hq');
//   }));

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const pictures = join(root, 'target', 'browser');
const { chromium } = createRequire(new URL('../../web/package.json', import.meta.url))('playwright-core');

const FLAGS = [
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--use-gl=angle',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
];
/** The program under test. */
export const binary = process.env.ANLAN_BINARY ?? join(root, 'target', 'debug', 'anlan');
/** A folder of freshly built pages that stand in for those in the program: ANLAN_PAGES=web/dist, while one works on them. */
const pages = process.env.ANLAN_PAGES;
const START_LIMIT_MS = 30_000;
const LOG_LINES_KEPT = 200;

/** A TCP port that was free a moment ago. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** The first of `count` neighbouring TCP ports that were free a moment ago, below those that the system hands out. */
export async function freePorts(count, tries = 50) {
  for (let i = 0; i < tries; i += 1) {
    const first = 20_000 + Math.floor(Math.random() * 10_000);
    const free = await Promise.all(Array.from({ length: count }, (_, at) => isFree(first + at)));
    if (free.every(Boolean)) return first;
  }
  throw new Error(`no ${count} neighbouring free ports after ${tries} tries`);
}

async function isFree(port) {
  const server = createServer();
  const listens = await new Promise((done) => {
    server.once('error', () => done(false)).listen(port, '127.0.0.1', () => done(true));
  });
  if (listens) await new Promise((done) => { server.close(done); });
  return listens;
}

/** A child process of the anlan program; keeps the end of its log. `stop` ends it and waits. */
export class Program {
  constructor(args, env = {}) {
    this.log = [];
    this.name = `anlan ${args[0]}`;
    this.child = spawn(binary, args, { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.exited = new Promise((resolve) => {
      this.child.once('exit', (code, signal) => resolve({ code, signal }));
      this.child.once('error', (cause) => { this.note(String(cause)); resolve({ code: null, signal: null }); });
    });
    createInterface({ input: this.child.stderr }).on('line', (line) => this.note(line));
    this.stdout = createInterface({ input: this.child.stdout });
    this.stdout.on('line', (line) => this.note(line));
  }

  note(line) {
    this.log.push(line);
    if (this.log.length > LOG_LINES_KEPT) this.log.shift();
  }

  /** The first line of standard output that is a JSON object. */
  async firstJson(limitMs = START_LIMIT_MS) {
    return new Promise((resolve, reject) => {
      const fail = (why) => reject(new Error(`${this.name}: ${why}\n${this.log.join('\n')}`));
      const timer = setTimeout(() => fail(`no JSON line within ${limitMs} ms`), limitMs);
      this.exited.then(({ code, signal }) => { clearTimeout(timer); fail(`ended early (${code ?? signal})`); });
      this.stdout.on('line', (line) => {
        if (!line.startsWith('{')) return;
        clearTimeout(timer);
        resolve(JSON.parse(line));
      });
    });
  }

  async stop(signal = 'SIGTERM') {
    this.child.kill(signal);
    const late = setTimeout(() => this.child.kill('SIGKILL'), 10_000);
    const end = await this.exited;
    clearTimeout(late);
    return end;
  }
}

/** Asks `url` until it answers with a status below 500, or throws with the program's log. */
export async function answers(url, program, limitMs = START_LIMIT_MS) {
  const until = Date.now() + limitMs;
  let last = 'no answer';
  while (Date.now() < until) {
    try {
      const reply = await fetch(url, { redirect: 'manual' });
      if (reply.status < 500) return reply;
      last = `status ${reply.status}`;
    } catch (cause) {
      last = String(cause.cause ?? cause);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${url}: ${last}\n${program?.log.join('\n') ?? ''}`);
}

/** A real Chromium whose pages may talk to `origin` only; `faults` collects everything that breaks that or logs an error. */
export async function launch(origin) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
  const faults = [];
  const waiting = new Map();
  return {
    faults,
    /** Opens `url` in a context of its own, so that every page is another person's browser. */
    async open(url, options = {}) {
      const context = await browser.newContext({ locale: 'zh-CN', timezoneId: 'Asia/Shanghai', ...(pages && { serviceWorkers: 'block' }), ...options });
      if (pages) await context.route(`${origin}/**`, fromFolder);
      await context.addInitScript(() => { window.__anlanTest = true; });
      const page = await context.newPage();
      watch(page, origin, faults);
      wait(page, waiting);
      await page.goto(url);
      return page;
    },
    /** What every page shows and what it waits for, with a picture, for whoever has to find out why a scenario failed. */
    async autopsy(name) {
      mkdirSync(pictures, { recursive: true });
      const open = browser.contexts().flatMap((context) => context.pages());
      const looked = open.map(async (page, at) => {
        await page.screenshot({ path: join(pictures, `${name}-${at}.png`), timeout: 5000 }).catch(() => undefined);
        const text = await Promise.race([page.evaluate(shown), page.waitForTimeout(5000)]).catch(String);
        return `page ${at}: ${text ?? 'does not answer'}`;
      });
      const asked = [...waiting].map(([request, since]) => `unanswered for ${((performance.now() - since) / 1000).toFixed(1)} s: ${request.method()} ${new URL(request.url()).pathname}`);
      return [...await Promise.all(looked), ...asked, ...faults];
    },
    close: () => browser.close(),
  };
}

/** Answers a request for a page or a part of one from `pages`; everything else goes to the server. */
function fromFolder(route) {
  const { pathname } = new URL(route.request().url());
  if (/^\/(api|healthz|readyz|metrics)\b/.test(pathname)) return route.fallback();
  const file = join(root, pages, pathname);
  return route.fulfill({ path: pathname !== '/' && existsSync(file) ? file : join(root, pages, 'index.html') });
}

function watch(page, origin, faults) {
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`console error on ${page.url()}: ${message.text()}`);
  });
  page.on('pageerror', (cause) => faults.push(`page error on ${page.url()}: ${cause.message}`));
  page.on('request', (request) => {
    const url = request.url();
    if (/^(data|blob|about):/.test(url) || new URL(url).origin === origin) return;
    faults.push(`request that leaves the server: ${url}`);
  });
}

/** Keeps the requests of a page that have no answer yet, with the time they were made. */
function wait(page, waiting) {
  page.on('request', (request) => waiting.set(request, performance.now()));
  page.on('requestfinished', (request) => waiting.delete(request));
  page.on('requestfailed', (request) => waiting.delete(request));
}

/** In the page: where it is, its state, its alerts, what has the keyboard and what stands in its fields. */
function shown() {
  const texts = (selector, of) => [...document.querySelectorAll(selector)].map(of).filter(Boolean).join(' | ');
  const focus = document.activeElement;
  return [
    location.pathname, JSON.stringify(document.documentElement.dataset), texts('[role=alert]', (each) => each.textContent.trim()),
    `focus ${focus?.tagName} ${focus?.dataset?.testid ?? ''}`, `fields ${texts('input', (each) => each.value)}`,
  ].join('; ');
}

/**
 * Writes target/browser/NAME.png and returns its path. A loaded machine's Chromium sometimes has no frame to hand out at
 * that moment ("Unable to capture screenshot"): that is asked again, a second later, twice; anything else fails at once.
 */
export async function shot(page, name, options = {}) {
  mkdirSync(pictures, { recursive: true });
  const path = join(pictures, `${name}.png`);
  for (let triesLeft = 2; ; triesLeft -= 1) {
    try {
      await page.screenshot({ path, ...options });
      return path;
    } catch (cause) {
      if (triesLeft === 0 || !/Unable to capture screenshot/.test(cause.message)) throw cause;
      await page.waitForTimeout(1000);
    }
  }
}

/**
 * Runs `body({ demo, program, open, shot, faults, dir })` against a fresh `anlan demo`; `demo` is its first JSON line
 * ({url, link, accounts}). `allow` lists patterns of faults that the scenario makes on purpose (a killed server).
 */
export async function withDemo({ args = [], env = {}, allow = [] } = {}, body) {
  const dir = mkdtempSync(join(tmpdir(), 'anlan-browser-'));
  const port = await freePort();
  const program = new Program(['demo', '--json', '--listen', `127.0.0.1:${port}`, '--data', dir, ...args], env);
  let chrome;
  try {
    const demo = await program.firstJson();
    await answers(new URL('/healthz', demo.url), program);
    chrome = await launch(new URL(demo.url).origin);
    await body({ demo, program, dir, shot, open: chrome.open, faults: chrome.faults });
    const unexpected = chrome.faults.filter((fault) => !allow.some((pattern) => pattern.test(fault)));
    assert.deepEqual(unexpected, [], 'the pages stayed quiet and on their own server');
  } catch (cause) {
    for (const line of await chrome?.autopsy(`failed-${port}`) ?? []) console.error(line);
    console.error(`last lines of ${program.name}:\n${program.log.slice(-30).join('\n')}`);
    throw cause;
  } finally {
    await chrome?.close();
    await program.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}
