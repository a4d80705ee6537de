import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { finish, observe } from '../../support/cli.ts';

const ROOT = path.resolve(import.meta.dirname, '../../..');

async function npm(args: readonly string[], cwd: string): Promise<string> {
  const child = spawn('npm', args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const { code, stdout, stderr } = await finish(observe(child, 'npm'), `npm ${args.join(' ')}`, 120_000);
  if (code !== 0) throw new Error(`npm ${args.join(' ')} ended with ${code ?? '?'}: ${stderr}`);
  return stdout;
}

test('the packed tarball, installed globally, works from any folder', { timeout: 180_000 }, async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-pack-'));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
  // It is built already; to build it again would take the files away from under the tests.
  const name = (
    await npm(['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], ROOT)
  ).trim();
  const prefix = path.join(folder, 'prefix');
  await npm(
    ['install', '-g', '--prefix', prefix, '--prefer-offline', '--no-audit', path.join(folder, name)],
    folder,
  );
  const elsewhere = path.join(folder, 'else where');
  fs.mkdirSync(elsewhere);
  const run = (...args: string[]): ReturnType<typeof finish> =>
    finish(
      observe(
        spawn(path.join(prefix, 'bin', 'orderctl'), args, {
          cwd: elsewhere,
          stdio: ['ignore', 'pipe', 'pipe'],
        }),
        'orderctl',
      ),
      args.join(' '),
      60_000,
    );
  const { version } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
    version: string;
  };
  expect((await run('--version')).stdout.trim()).toBe(version);
  const added = await run('user', 'add', '--user', 'alice', '--status', 'paid');
  expect(added.code, added.stderr).toBe(0);
  expect(fs.readFileSync(path.join(elsewhere, 'storage', 'users.csv'), 'utf8')).toBe(
    'user,status\nalice,paid\n',
  );
});
