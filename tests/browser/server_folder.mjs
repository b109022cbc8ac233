// A data folder and a configuration as `anlan init` makes them, for servers that are not the demo.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { binary } from './harness.mjs';

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
