import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FileStore } from '../../../src/adapters/files/store.ts';
import { realFileSystem, type FileSystem } from '../../../src/adapters/files/fs.ts';
import { Ledger } from '../../../src/adapters/files/ledger.ts';
import { FolderReader } from '../../../src/adapters/files/reader.ts';
import { systemClock } from '../../../src/compose.ts';
import { openFolder } from '../../../src/adapters/files/folder.ts';
import { RunningBalance } from '../../../src/app/overview/balance.ts';
import { CHECKOUT } from '../../../src/domain/checkout/facts.ts';
import { decideRecords, ownFolder, recordOf } from '../../support/decided.ts';
import { collect } from '../../support/store-history.ts';
import { waitFor } from '../../support/wait.ts';

/*
 * A reader takes no lock: between any two of its calls the owner may have gone on. Each test stops the time of the
 * folder at one of them.
 */

let folder: string;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-reader-'));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

const inner = (name: string): string => path.join(folder, '.orderctl', name);
const failed = (error: unknown): never => expect.fail(String(error));
const sizeOf = (name: string): number => fs.statSync(inner(name)).size;

async function add(ledger: Ledger, user: string): Promise<void> {
  await ledger.commit({ lines: [['rows', 'users', [[user, { user, status: 'paid', extra: {} }]]]] });
}

async function usersSeen(files: FileSystem): Promise<string[]> {
  await using reader = await FolderReader.open(files, folder, systemClock);
  return Array.from(await reader.users(), ({ user }) => user);
}

/** A file system on which one file is as long as it was when its size was asked for first; `then` happens after. */
function withSizeOf(name: string, sizeBytes: number, then: () => void = () => undefined): FileSystem {
  const fds = new Set<number>();
  return {
    ...realFileSystem,
    open(file, mode) {
      const fd = realFileSystem.open(file, mode);
      if (file === inner(name)) fds.add(fd);
      return fd;
    },
    statOpen(fd) {
      const stat = realFileSystem.statOpen(fd);
      if (!fds.has(fd)) return stat;
      then();
      return { ...stat, sizeBytes };
    },
  };
}

test('a record that the owner finishes while the journal is read is no damage', async () => {
  const ledger = await Ledger.open(realFileSystem, folder, failed);
  await add(ledger, 'alice');
  const before = sizeOf('journal.1');
  await add(ledger, 'bob');
  for (let size = before; size < sizeOf('journal.1'); size++) {
    const seen = await usersSeen(withSizeOf('journal.1', size));
    // The payload counts when it is whole, with its mark or without.
    expect(seen, `with ${size} bytes`).toEqual(
      size < sizeOf('journal.1') - 16 ? ['alice'] : ['alice', 'bob'],
    );
  }
  await ledger.close();
});

test('a journal that is begun while the one before it is read is not held against it', async () => {
  let held = Promise.resolve();
  let release: () => void = () => undefined;
  const files: FileSystem = {
    ...realFileSystem,
    sync: async (fd) => {
      await held;
      await realFileSystem.sync(fd);
    },
  };
  const ledger = await Ledger.open(files, folder, failed);
  await add(ledger, 'alice');
  const before = sizeOf('journal.1');
  await add(ledger, 'bob');
  // As long as the checkpoint is under way, state.json names the journal before.
  held = new Promise((resolve) => (release = resolve));
  await ledger.startCheckpoint();
  await add(ledger, 'carol');

  let isNow = false;
  const then = withSizeOf('journal.1', before, () => (isNow = true));
  const seen = await usersSeen({
    ...then,
    open: (file, mode) => then.open(file === inner('journal.2') && !isNow ? inner('not yet') : file, mode),
  });
  expect(seen).toEqual(['alice']);
  expect(await usersSeen(realFileSystem)).toEqual(['alice', 'bob', 'carol']);
  release();
  await ledger.close();
});

test('a CSV that the owner writes while the journal is read is no edit by hand', async () => {
  await using store = await FileStore.open({
    files: realFileSystem,
    folder,
    clock: systemClock,
    user: 'tester',
    via: 'consume',
    onNotice: () => undefined,
  });
  const set = (quantity: number): Promise<null> =>
    store.transact({}, (snapshot) => {
      const before = snapshot.item('book') ?? null;
      const after = { item: 'book', quantity, name: null, price: null, reorderLevel: null, extra: {} };
      return { changes: { edits: [{ kind: 'item', item: 'book', before, after }] }, result: null };
    });
  const csv = path.join(folder, 'inventory.csv');
  const written = (text: string) =>
    waitFor(`${text} in the file`, () => fs.existsSync(csv) && fs.readFileSync(csv, 'utf8').includes(text));
  await set(10);
  await written('book,10');
  await set(9);
  fs.cpSync(csv, `${csv}.then`, { preserveTimestamps: true });
  fs.cpSync(inner('journal.1'), inner('then'));
  await set(8);
  await written('book,8');

  // Until the journal has been opened it is then; from there on it is now.
  let isNow = false;
  const at = (file: string): string => (file === csv && !isNow ? `${csv}.then` : file);
  await using reader = await FolderReader.open(
    {
      ...realFileSystem,
      stat: (file) => realFileSystem.stat(at(file)),
      open(file, mode) {
        if (file !== inner('journal.1') || isNow) return realFileSystem.open(at(file), mode);
        isNow = true;
        return realFileSystem.open(inner('then'), mode);
      },
    },
    folder,
    systemClock,
  );
  expect(Array.from(await reader.items(), ({ quantity }) => quantity)).toEqual([9]);
});

test('a line that was changed far from the end of its log is named by everything that reads it', async () => {
  fs.writeFileSync(path.join(folder, 'users.csv'), 'user,status\nalice,paid\n');
  fs.writeFileSync(path.join(folder, 'inventory.csv'), 'item,quantity\npen,5000\n');
  {
    await using store = await ownFolder(folder);
    const orders = Array.from({ length: 800 }, (_, n) =>
      recordOf('orders', n, `O-${n}`, 'alice', { pen: 1 }),
    );
    await decideRecords(store, orders);
  }
  const log = path.join(folder, 'orders.jsonl');
  const lines = fs.readFileSync(log, 'utf8').split('\n');
  lines[2] = lines[2]?.replace('"items":[', '"items":]') ?? '';
  fs.writeFileSync(log, lines.join('\n'));
  const access = openFolder({ folder, clock: systemClock });
  await using reader = await access.read();
  await using inspection = await access.inspect();
  const kept = await access.keepView();
  const readings: Record<string, () => Promise<unknown>> = {
    decisions: () => collect(reader.decisions('accepted')),
    history: () => collect(reader.history([CHECKOUT as never])),
    fromEnd: () => collect(reader.decisionsFromEnd('accepted')),
    decided: () => reader.decided('O-2'),
    balance: () => new RunningBalance().as(inspection),
    kept: async () => kept?.lookAtOrders((view) => view.decided('O-2')),
  };
  for (const [name, read] of Object.entries(readings)) {
    await expect(read(), name).rejects.toMatchObject({
      code: 'corrupt_state',
      message: expect.stringContaining(`${log}:3 was changed`) as string,
      context: { file: log, line: 3 },
    });
  }
});
