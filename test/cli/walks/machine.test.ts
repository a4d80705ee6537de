import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { failureOf, openShop, type Shop } from '../../support/cli.ts';

/* What the machine does to us is nobody's bug: each ends with 7, what it was about, and the way out. */

const BINARY = path.resolve(import.meta.dirname, '../../../bin/orderctl');
const isRoot = process.geteuid?.() === 0;
const isLinux = process.platform === 'linux';
if (!isRoot) process.stderr.write('SKIPPED: files without permission, since this is not root\n');
if (!isLinux) process.stderr.write('SKIPPED: /dev/full, which this system does not have\n');

/** Runs a line of the shell in which `$O` is the built binary. */
function shell(
  line: string,
  options: { cwd?: string; uid?: number } = {},
): { code: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', `O='${process.execPath} ${BINARY}'; ${line}`], {
    cwd: options.cwd ?? os.tmpdir(),
    encoding: 'utf8',
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
  return { code: status, said: stdout + stderr };
}

async function stocked(): Promise<Shop> {
  const shop = openShop();
  await shop.ok('inventory add --item pen --quantity 2');
  return shop;
}

describe('a file that cannot be read or written is a failure of the machine', () => {
  it.each<[string, (shop: Shop) => void, string, string]>([
    ['a folder in its place', (shop) => replaced(shop, 'users.csv', 'folder'), 'user show', 'it is a folder'],
    [
      'a folder in a log’s place',
      (shop) => replaced(shop, 'orders.jsonl', 'folder'),
      'order list',
      'it is a folder',
    ],
    [
      'a pipe in its place',
      (shop) => replaced(shop, 'users.csv', 'pipe'),
      'user show',
      'it is not a regular file',
    ],
    ['a link to itself', (shop) => replaced(shop, 'users.csv', 'loop'), 'user show', 'form a loop'],
    [
      'a file for the inner folder',
      (shop) => replaced(shop, '.orderctl', 'file'),
      'user show',
      'not a folder',
    ],
  ])('%s', async (_what, change, command, reason) => {
    const shop = await stocked();
    change(shop);
    for (const args of [command, 'user add --user alice --status paid']) {
      const result = await shop.run(`${args} -o json`);
      expect(result, result.stderr).toMatchObject({ code: 7, stdout: '' });
      const failure = failureOf(result);
      expect(failure.message).toContain(reason);
      expect(failure.message).not.toContain('bug');
      expect(failure.fix).not.toBeNull();
    }
    expect(failureOf(await shop.run(`${command} -o json`))).toMatchObject({ code: 'read_failed' });
  });

  it.runIf(isRoot)('a file that belongs to another', async () => {
    const shop = await stocked();
    fs.chmodSync(shop.folder, 0o755);
    fs.chmodSync(path.join(shop.storage, 'inventory.csv'), 0o600);
    const { code, said } = shell(`$O inventory show --storage ${shop.storage}`, { uid: 12_345 });
    expect({ code, said }).toMatchObject({
      code: 7,
      said: expect.stringContaining('belongs to root, mode 600') as unknown,
    });
  });

  it.runIf(isRoot)(
    'an owner that this user may not ask: what may be read is shown all the same',
    async () => {
      const shop = await stocked();
      for (const folder of [shop.folder, shop.storage]) fs.chmodSync(folder, 0o755);
      const as = { uid: 12_345 };
      const audit = shell(`$O audit --storage ${shop.storage}`, as);
      expect(audit).toMatchObject({
        code: 0,
        said: expect.stringMatching(
          /the books balance\n(.|\n)*warning: whether a consumer runs is not known: /,
        ) as unknown,
      });
      const status = shell(`$O status --storage ${shop.storage} -o json`, as);
      expect(status).toMatchObject({
        code: 0,
        said: expect.stringMatching(
          /"running":null(.|\n)*"problem":"reading .*owner\.\d+ failed: permission den/,
        ) as unknown,
      });
      expect(status.said).toContain('"level":"warn"');
      expect(status.said).toContain('"message":"whether a consumer runs is not known: reading ');
    },
  );

  it.runIf(isRoot)('a working directory that may not be searched', async () => {
    const shop = await stocked();
    fs.chmodSync(shop.folder, 0o711);
    fs.mkdirSync(path.join(shop.folder, 'closed'), { mode: 0o700 });
    const cwd = path.join(shop.folder, 'closed');
    const line = `cd ${cwd} && setpriv --reuid 12345 --regid 12345 --clear-groups`;
    expect(shell(`${line} $O --version`).code).toBe(0);
    const { code, said } = shell(`${line} $O inventory show`);
    expect({ code, said }).toMatchObject({
      code: 7,
      said: expect.stringMatching(/\.orderctl\/\w+\.json failed: permission denied/) as unknown,
    });
  });

  it('too many open files', async () => {
    const shop = await stocked();
    const codes = [20, 22, 24, 26].map((limit) => {
      const { code, said } = shell(
        `ulimit -n ${limit}; $O inventory update --item pen --by 1 --storage ${shop.storage}`,
      );
      if (code !== 0) expect(said).toContain('too many files are open in this process (EMFILE)');
      if (code !== 0) expect(said).toContain('fix: raise the limit (ulimit -n)');
      return code;
    });
    expect(codes[0]).toBe(7);
    expect(codes.filter((code) => code !== 0 && code !== 7)).toEqual([]);
    await shop.ok('audit');
  });

  it('no directory for temporary files, where one is needed', async () => {
    const shop = openShop();
    const deep = path.join(shop.folder, 'x'.repeat(100));
    expect(shell(`TMPDIR=/nowhere $O user add --user a --status paid --storage ${deep}`).code).toBe(0);
    const { code, said } = shell('TMPDIR=/nowhere $O demo');
    expect(code).toBe(7);
    expect(said).toMatch(/error: cannot create a temporary directory at \/nowhere.*\nfix: set TMPDIR/);
  });
});

describe('a working directory that was removed', () => {
  it('is said by what needs it, and no matter to the rest', () => {
    const cwd = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-gone-'));
    onTestFinished(() => fs.rmSync(cwd, { recursive: true, force: true }));
    const gone = `rmdir ${cwd};`;
    expect(shell(`${gone} $O --version`, { cwd })).toMatchObject({ code: 0, said: '0.1.0\n' });
    fs.mkdirSync(cwd);
    expect(shell(`${gone} $O user show -o json`, { cwd })).toMatchObject({
      code: 7,
      said: expect.stringMatching(
        /^\{"type":"error","code":"read_failed".*"message":"the working directory no longer exists.*\}\n$/,
      ) as unknown,
    });
  });
});

it.runIf(isLinux)('output that finds no room ends with 7', async () => {
  const shop = await stocked();
  for (const args of ['--help', '--version', 'consume --help', `inventory show --storage ${shop.storage}`]) {
    const { code, said } = shell(`$O ${args} >/dev/full`);
    expect({ args, code }).toEqual({ args, code: 7 });
    expect(said).toContain('the output could not be written (ENOSPC)');
  }
  expect(shell(`$O inventory show --item none --storage ${shop.storage} 2>/dev/full`).code).toBe(7);
  expect(shell('$O --help | head -1').code).toBe(0);
});

function replaced(shop: Shop, name: string, by: 'folder' | 'file' | 'pipe' | 'loop'): void {
  const file = path.join(shop.storage, name);
  fs.rmSync(file, { recursive: true, force: true });
  if (by === 'folder') fs.mkdirSync(file);
  else if (by === 'file') fs.writeFileSync(file, '');
  else if (by === 'pipe') spawnSync('mkfifo', [file]);
  else fs.symlinkSync(name, file);
}
