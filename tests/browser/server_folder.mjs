// A data folder and a configuration as `anlan init` makes them, and a server on them that is not the demo.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { answers, binary, freePort, freePorts, launch, Program } from './harness.mjs';

/**
 * Runs `body({ origin, server, chrome, token })` against a fresh `anlan serve` without devices. `prepare` gets what
 * `serverFolder` made, before the start. With `allow` the pages must stay quiet but for faults of that pattern.
 */
export async function withServer({ prepare = () => undefined, allow }, body) {
  const folder = mkdtempSync(join(tmpdir(), 'anlan-serve-'));
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const made = serverFolder(folder, port, await freePorts(5));
  prepare(made);
  const server = new Program(['serve', '--config', made.config]);
  let chrome;
  try {
    await answers(`${origin}/healthz`, server);
    chrome = await launch(origin);
    await body({ origin, server, chrome, token: made.token });
    if (allow) assert.deepEqual(chrome.faults.filter((fault) => !allow.test(fault)), []);
  } catch (cause) {
    console.error(`last lines of ${server.name}:\n${server.log.slice(-20).join('\n')}`);
    throw cause;
  } finally {
    await chrome?.close();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Makes both in `folder`; the devices are at `fieldPort` and the ports after it. */
export function serverFolder(folder, port, fieldPort) {
  const data = join(folder, 'data');
  const config = join(folder, 'anlan.toml');
  execFileSync(binary, ['init', '--data', data, '--config', config]);
  const changes = [
    [/^listen = .*$/m, `listen = "127.0.0.1:${port}"`],
    [/^# address = .*$/m, `address = "127.0.0.1:${fieldPort}"`],
    [/^folder = .*$/m, `folder = "${join(folder, 'backups')}"`],
  ];
  writeFileSync(config, changes.reduce((text, [from, to]) => text.replace(from, to), readFileSync(config, 'utf8')));
  // Only an account with a password reads one; writing to a program that has already ended is an error.
  const asked = (args) => (args[0] === 'add' && !args.includes('--no-password') ? { input: 'a long enough password\n' } : { stdio: ['ignore', 'pipe', 'inherit'] });
  const user = (...args) => execFileSync(binary, ['user', ...args, '--data', data], { ...asked(args), encoding: 'utf8' });
  return { data, config, user, token: (name) => JSON.parse(user('link', name, '--json')).token };
}
