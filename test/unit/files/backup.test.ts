import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openFolder } from '../../../src/adapters/files/folder.ts';
import { realFileSystem } from '../../../src/adapters/files/fs.ts';
import { FileStore } from '../../../src/adapters/files/store.ts';
import { FORMAT } from '../../../src/adapters/files/journal/checkpoint.ts';
import { audit } from '../../../src/app/audit/audit.ts';
import { systemClock } from '../../../src/compose.ts';
import { newFact, type FactLog } from '../../../src/domain/facts.ts';
import type { StoreAccess } from '../../../src/ports/access.ts';
import type { Store } from '../../../src/ports/store.ts';
import { decideRecords, ownFolder, recordOf } from '../../support/decided.ts';
import { formerFolder } from '../../support/former-folder.ts';

const STOCK = 100_000;

function temporary(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-backup-'));
  onTestFinished(() => fs.rmSync(folder, { recursive: true }));
  return folder;
}

function shopIn(folder: string): StoreAccess {
  fs.writeFileSync(path.join(folder, 'users.csv'), 'user,status\nalice,paid\n');
  fs.writeFileSync(path.join(folder, 'inventory.csv'), `item,quantity\npen,${STOCK}\n`);
  return openFolder({ folder, clock: systemClock });
}

async function countIn(reader: Awaited<ReturnType<StoreAccess['read']>>): Promise<number> {
  let count = 0;
  for await (const chunk of reader.decisions('accepted')) count += chunk.length;
  return count;
}

it('a backup beside an owner at work is whole: stock, decisions and position are of one moment', async () => {
  const folder = temporary();
  const access = shopIn(folder);
  const stop = new AbortController();
  let begun: () => void = () => undefined;
  const hasBegun = new Promise<void>((resolve) => (begun = resolve));
  const work = (async () => {
    // A checkpoint every few batches takes files away that a backup is about to copy.
    await using store = await FileStore.open({
      files: realFileSystem,
      folder,
      clock: systemClock,
      user: 'me',
      via: 'consume',
      onNotice: () => undefined,
      checkpointBytes: 50_000,
    });
    begun();
    for (let batch = 0; batch < 400 && !stop.signal.aborted; batch++) {
      const records = Array.from({ length: 50 }, (_, at) =>
        recordOf('orders', batch * 50 + at, `ORD-${batch * 50 + at}`, 'alice', { pen: 1 }),
      );
      await decideRecords(store, records);
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  await hasBegun;
  const counts: number[] = [];
  const parent = temporary();
  try {
    for (let turn = 0; turn < 8; turn++) {
      const target = path.join(parent, String(turn));
      const made = await access.backUp(target);
      const copy = openFolder({ folder: target, clock: systemClock });
      expect(await audit(copy, { topic: null, repair: false, onNotice: () => undefined })).toMatchObject({
        differences: [],
      });
      await using reader = await copy.read();
      const count = await countIn(reader);
      counts.push(count);
      expect([...(await reader.items())]).toMatchObject([{ item: 'pen', quantity: STOCK - count }]);
      expect(made.positions).toMatchObject(
        count === 0 ? [] : [{ topic: 'orders', partition: 0, next: count }],
      );
      // It can be owned, as after a crash, and goes on.
      await using store = await ownFolder(target);
      await decideRecords(store, [recordOf('orders', count, 'ORD-more', 'alice', { pen: 1 })]);
      expect([...(await store.items())]).toMatchObject([{ quantity: STOCK - count - 1 }]);
      expect(store.storeId).toBe(made.storeId);
    }
  } finally {
    stop.abort();
    await work;
  }
  expect(counts.at(-1)).toBeGreaterThan(counts[0] ?? 0);
});

it('a backup has no wider mode than the folder, nor than the user gives', async () => {
  const folder = temporary();
  const access = shopIn(folder);
  await access.edit(
    { kind: 'item.add', item: 'cup', quantity: 1 },
    { via: 'command', onNotice: () => undefined },
  );
  fs.chmodSync(path.join(folder, 'users.csv'), 0o600);
  fs.writeFileSync(path.join(folder, 'users.csv.conflict'), 'user,status\n');
  const target = path.join(temporary(), 'copy');
  const before = process.umask(0o027);
  try {
    await access.backUp(target);
  } finally {
    process.umask(before);
  }
  const modeOf = (name: string): number => fs.statSync(path.join(target, name)).mode & 0o777;
  expect(modeOf('users.csv')).toBe(0o600);
  expect(modeOf('inventory.csv') & 0o027).toBe(0);
  expect(modeOf('.') & 0o027).toBe(0);
  expect(fs.existsSync(path.join(target, 'users.csv.conflict'))).toBe(true);
  expect(fs.readdirSync(path.join(target, '.orderctl')).filter((name) => name.startsWith('owner'))).toEqual(
    [],
  );
});

it('a backup is not made into a folder that has anything in it, nor into the one that it is of', async () => {
  const folder = temporary();
  const access = shopIn(folder);
  await expect(access.backUp(folder)).rejects.toMatchObject({ code: 'invalid_value' });
  await expect(access.backUp(path.join(folder, 'copy'))).rejects.toMatchObject({ code: 'invalid_value' });
  const other = temporary();
  fs.writeFileSync(path.join(other, 'notes.txt'), '');
  await expect(access.backUp(other)).rejects.toMatchObject({ code: 'already_exists' });
  expect(fs.readdirSync(other)).toEqual(['notes.txt']);
});

it('a backup begins again when a checkpoint takes away what it is about to copy', async () => {
  const folder = temporary();
  await (await ownFolder(folder))[Symbol.asyncDispose]();
  let opened = 0;
  const files = {
    ...realFileSystem,
    open: (name: string, mode: 'read' | 'append' | 'create') => {
      // The first time it is read, the second time it is about to be copied.
      if (/tables\.\d+$/.test(name) && mode === 'read' && ++opened === 2) {
        throw Object.assign(new Error('gone'), { code: 'ENOENT' });
      }
      return realFileSystem.open(name, mode);
    },
  };
  const target = path.join(temporary(), 'copy');
  await openFolder({ folder, clock: systemClock, files }).backUp(target);
  expect(fs.readdirSync(path.join(target, '.orderctl')).some((name) => /^tables\.\d+$/.test(name))).toBe(
    true,
  );
});

const STEPS: FactLog<{ id: string; step: number }> = { name: 'steps', key: 'id' };

/** A fact and a movement, in one transaction. */
async function move(store: Store, step: number): Promise<void> {
  const movement = { item: 'pen', delta: -1, cause: 'sale', orderId: 'a', eventId: null } as const;
  await store.transact({ items: ['pen'], facts: new Map([[STEPS, ['a']]]) }, () => ({
    changes: { facts: [newFact(STEPS, { id: 'a', step })], movements: [movement] },
    result: null,
  }));
}

it('a backup of an upgraded folder has its facts and movements, and goes on where it is restored', async () => {
  const folder = temporary();
  fs.mkdirSync(path.join(folder, '.orderctl'));
  for (const [name, bytes] of formerFolder(2)) fs.writeFileSync(path.join(folder, name), bytes);
  {
    await using store = await ownFolder(folder);
    for (const step of [1, 2, 3]) await move(store, step);
  }
  expect(fs.existsSync(path.join(folder, `.orderctl/before-${FORMAT}`))).toBe(true);
  const [backup, restored] = [path.join(temporary(), 'backup'), path.join(temporary(), 'restored')];
  {
    // What comes after the checkpoint is in the journal.
    await using store = await ownFolder(folder);
    await move(store, 4);
    await openFolder({ folder, clock: systemClock }).backUp(backup);
    await move(store, 5);
  }
  const copy = openFolder({ folder: backup, clock: systemClock });
  await copy.backUp(restored);
  const access = openFolder({ folder: restored, clock: systemClock });
  for (const one of [copy, access]) {
    expect(await audit(one, { topic: null, repair: false, onNotice: () => undefined })).toMatchObject({
      differences: [],
    });
  }
  {
    await using store = await ownFolder(restored);
    await move(store, 6);
    expect((await store.facts(STEPS, 'a')).map(({ step }) => step)).toEqual([1, 2, 3, 4, 6]);
  }
  await using reader = await access.read();
  const deltas: number[] = [];
  for await (const chunk of reader.movements()) deltas.push(...chunk.map(({ delta }) => delta));
  expect(deltas).toEqual([-1, -1, -1, -1, -1]);
  expect(fs.readdirSync(path.join(backup, '.orderctl'))).not.toContain(`before-${FORMAT}`);
});
