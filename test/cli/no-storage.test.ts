import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { failureOf, openShop } from '../support/cli.ts';

const READING = [
  'user show',
  'user edit --with true',
  'user update --user bob --status paid',
  'inventory show',
  'inventory show --low',
  'order list',
  'order show A-1',
  'order explain A-1',
  'audit',
  'what-if',
  'replay',
  'replay --dry-run',
  'produce --count 1',
];

test.each(READING)('"%s" of a folder that is none is 3, and makes none', async (args) => {
  const shop = openShop();
  fs.mkdirSync(path.join(shop.folder, 'empty'));
  for (const name of ['nowhere', 'empty']) {
    const folder = path.join(shop.folder, name);
    const result = await shop.run(`--storage ${name} ${args} -o json`);
    expect(result.code, result.stderr).toBe(3);
    expect(failureOf(result)).toMatchObject({ code: 'not_found', exit_code: 3 });
    const message = name === 'nowhere' ? `there is no folder ${folder}` : `${folder} is not a storage folder`;
    expect(failureOf(result).message).toContain(message);
    expect(failureOf(result).fix).toContain(`orderctl --storage ${folder} user add`);
    expect(fs.existsSync(path.join(folder, '.orderctl'))).toBe(false);
  }
});

const BEGINNING = ['user add alice --status paid', 'supplier add acme', 'consume', 'store init'];

test.each([...READING, ...BEGINNING])(
  '"%s" of the folder of a shop on PostgreSQL says where it is',
  async (args) => {
    const shop = openShop();
    const data = path.join(shop.folder, 'split', 'postgres', 'data');
    fs.mkdirSync(data, { recursive: true });
    const failure = async () => failureOf(await shop.run(`--storage split ${args} -o json`));
    const found = await failure();
    expect(found.message).toBe(`the shop in ${shop.folder}/split is on PostgreSQL`);
    expect(found.exit_code).toBe(READING.includes(args) && !args.startsWith('user update') ? 3 : 4);
    expect(found.fix).toContain(`orderctl --storage ${shop.folder}/split up --split`);
    fs.writeFileSync(
      path.join(data, 'postmaster.pid'),
      [process.pid, data, 1_780_000_000, 25_432, ''].join('\n'),
    );
    expect((await failure()).fix).toContain('--store postgres://orderctl@127.0.0.1:25432/orderctl');
    expect(fs.readdirSync(path.join(shop.folder, 'split'))).toEqual(['postgres']);
  },
);

test('a folder that is a link to nothing is 3 and names where it leads', async () => {
  const shop = openShop();
  const link = path.join(shop.folder, 'link');
  fs.symlinkSync('/not/mounted', link);
  for (const args of ['user show', 'user add --user alice --status paid', 'consume']) {
    const failure = failureOf(await shop.run(`--storage link ${args} -o json`));
    const message = `${link} is a link to /not/mounted, which does not exist`;
    expect(failure).toMatchObject({ code: 'not_found', exit_code: 3, message });
    expect(failure.fix).toContain('remove the link');
  }
});

test('consume of a folder without users or items is 3 and decides nothing', async () => {
  const shop = openShop();
  const folder = path.join(shop.folder, 'new');
  const missing = await shop.run('consume --storage new --group two --until-end -o json');
  expect(missing.code, missing.stderr).toBe(3);
  expect(failureOf(missing)).toMatchObject({ code: 'not_found' });
  expect(failureOf(missing).fix).toContain(`orderctl --storage ${folder} user add`);
  expect(failureOf(missing).fix).toContain('--allow-empty');
  expect(fs.existsSync(folder)).toBe(false);

  await shop.ok('user add --user alice --status paid');
  const half = await shop.run('consume --until-end');
  expect(half.code, half.stderr).toBe(3);
  expect(half.stderr).toContain('there are no items in');
});

test('a hint names the folder that was given by a flag', async () => {
  const shop = openShop();
  await shop.ok('user add --user alice --status paid --storage other');
  const other = await shop.run('user show --user bob --storage other');
  expect(other.stderr).toContain(`orderctl --storage ${shop.folder}/other user show`);
  // By the environment it holds for the next command as well.
  await shop.ok('user add --user alice --status paid');
  expect((await shop.run('user show --user bob')).stderr).toContain('orderctl user show');
});

test.skipIf(!fs.existsSync('/proc/self'))(
  'where the system makes no folder, that is 7 at once and names it',
  async () => {
    const shop = openShop();
    const edit = await shop.run('user add --user a --status paid --storage /proc/x/y', { timeoutMs: 20_000 });
    expect(edit.code, edit.stderr).toBe(7);
    expect(edit.stderr).toContain('/proc/x/y/.orderctl failed: no folder can be created there');
    expect(edit.stderr).toContain('use another location');
    const dev = await shop.run('dev --data /proc/y --port 0 --registry-port 0', { timeoutMs: 20_000 });
    expect(dev.code, dev.stderr).toBe(7);
    expect(dev.stderr).toContain('/proc/y');
    expect(dev.stderr).toContain('fix: use another with --data DIR');
  },
);
