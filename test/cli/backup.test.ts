import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { openFolder } from '../../src/adapters/files/folder.ts';
import { systemClock } from '../../src/compose.ts';
import { RESTORED, RESTORED_KEY } from '../../src/domain/messages/restored.ts';
import { failureOf, penShop } from '../support/cli.ts';
import { decideRecords, ownFolder, recordOf } from '../support/decided.ts';

/** By which ids of what is sent differ from those of before. */
async function restoredAt(storage: string): Promise<unknown> {
  await using reader = await openFolder({ folder: storage, clock: systemClock }).read();
  return (await reader.small(RESTORED)).get(RESTORED_KEY);
}

it('a folder is backed up beside its owner, and restored to that moment', async () => {
  const shop = penShop();
  const backup = path.join(shop.folder, 'backup');
  {
    await using store = await ownFolder(shop.storage);
    await decideRecords(store, [recordOf('orders', 0, 'ORD-1', 'alice', { pen: 2 })]);
    const made = await shop.json(['backup', backup]);
    expect(made).toMatchObject({
      from: shop.storage,
      to: backup,
      positions: [{ topic: 'orders', partition: 0, next: 1 }],
    });
    await decideRecords(store, [recordOf('orders', 1, 'ORD-2', 'alice', { pen: 3 })]);
    const again = await shop.run(['backup', backup, '-o', 'json']);
    expect(again.code).toBe(4);
    expect(failureOf(again)).toMatchObject({ code: 'already_exists' });
  }
  expect(await restoredAt(shop.storage)).toBeUndefined();
  await shop.ok(['audit', '--storage', backup]);
  expect(await shop.run(['restore', backup])).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('with --storage NEW') as string,
  });
  fs.rmSync(shop.storage, { recursive: true });
  const { stdout, stderr } = await shop.ok(['restore', backup]);
  expect(stdout).toMatch(
    /^restored .*\n\nreading continues from:\nTOPIC +PARTITION +OFFSET\norders +0 +1\n$/,
  );
  expect(await restoredAt(shop.storage)).toMatchObject({ at: expect.any(Number) as number });
  expect(stderr).toContain('offsets show');
  expect(stderr).toContain('--new-id --group NAME');
  expect(shop.stock()).toEqual({ pen: 48 });
  expect((await shop.lines('order list')).map(({ order_id: id }) => id)).toEqual(['ORD-1']);
  await shop.ok('audit');
});

it('what is no backup is not restored, and a file is not backed up into', async () => {
  const shop = penShop();
  const at = (name: string): string => path.join(shop.folder, name);
  const [missing, other, file] = [at('missing'), at('other'), at('file')];
  fs.mkdirSync(other);
  fs.writeFileSync(file, '');
  for (const [source, message] of [
    [missing, `folder ${missing} does not exist`],
    [other, `${other} is not a backup`],
  ] as const) {
    const result = await shop.run(['restore', source, '--storage', 'new', '-o', 'json']);
    expect(failureOf(result)).toMatchObject({
      exit_code: 3,
      message,
      fix: 'name a folder that "backup DIR" created',
    });
  }
  expect(failureOf(await shop.run(['backup', file, '-o', 'json']))).toMatchObject({
    exit_code: 2,
    message: `${file} is a file, not a folder`,
    fix: 'name a folder that is empty or does not exist yet',
  });
});

it('a folder is backed up without what an interrupted "user erase" has left in it, and sealed if it is', async () => {
  const shop = penShop();
  await (await ownFolder(shop.storage))[Symbol.asyncDispose]();
  const inner = path.join(shop.storage, '.orderctl');
  fs.mkdirSync(path.join(inner, 'replacement', '.orderctl'), { recursive: true });
  fs.writeFileSync(path.join(inner, 'replacement', 'orders.jsonl'), '{}\n');
  const backup = path.join(shop.folder, 'backup');
  await shop.ok(['backup', backup]);
  expect(fs.readdirSync(path.join(backup, '.orderctl'))).not.toContain('replacement');
  await shop.ok(['audit', '--storage', backup]);
  const seal = JSON.stringify({ why: 'copied', store: 'elsewhere', storeId: 's' });
  fs.writeFileSync(path.join(inner, 'sealed.json'), seal);
  const sealed = path.join(shop.folder, 'sealed');
  await shop.ok(['backup', sealed]);
  expect(fs.readFileSync(path.join(sealed, '.orderctl', 'sealed.json'), 'utf8')).toBe(seal);
  fs.writeFileSync(path.join(inner, 'sealed.json'), seal.slice(1));
  const { code, stderr } = await shop.run(['user', 'list']);
  expect(code).toBe(6);
  expect(stderr).toContain(`${path.join(inner, 'sealed.json')} is damaged`);
});
