import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { FileStore } from '../../../src/adapters/files/store.ts';
import { realFileSystem } from '../../../src/adapters/files/fs.ts';
import type { FileSystem } from '../../../src/adapters/files/fs.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import { ManualClock, turn } from '../../simulate/manual-clock.ts';
import { FaultyFs } from '../../support/faulty-fs.ts';
import { Pausable } from '../../support/pausable.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const EDIT = { by: 'test', via: 'command' } as const;

/** Until there is a checkpoint. */
const MOST_EDITS = 50;

async function turns(): Promise<void> {
  for (let count = 0; count < 100; count++) await turn();
}

/** In memory: one process is paused when it waits for the disk at a call whose trace begins so; null: before any. */
async function pausedAt(
  call: string | null,
): Promise<{ files: FaultyFs; paused: FileStore; process: Pausable }> {
  const files = new FaultyFs(1);
  const clock = new ManualClock();
  const process = new Pausable(files, clock);
  const paused = await openIn(process.files, process.clock);
  let isPaused = false as boolean;
  const pause = (): void => {
    isPaused = true;
    process.pause();
  };
  if (call !== null) whenCalled(files, call, pause);
  await paused.edit({ kind: 'item.add', item: 'pen', quantity: 5 }, EDIT);
  await turns();
  if (call === null) pause();
  for (let round = 0; round < MOST_EDITS && !isPaused; round++) {
    if (round % 2 === 0) await clock.tick();
    else await paused.edit({ kind: 'item.update', item: 'pen', by: 1 }, EDIT);
    await turns();
  }
  expect(isPaused).toBe(true);
  return { files, paused, process };
}

function whenCalled(files: FaultyFs, call: string, act: () => void): void {
  files.onCall = ({ what }) => {
    if (!what.startsWith(call)) return;
    files.onCall = undefined;
    act();
  };
}

async function expectEnd(paused: FileStore, process: Pausable): Promise<void> {
  process.wake();
  await expect(paused[Symbol.asyncDispose]()).rejects.toMatchObject({ code: 'folder_in_use' });
}

function openIn(files: FileSystem, clock: Clock): Promise<FileStore> {
  return FileStore.open({
    files,
    folder: '/shop',
    clock,
    user: 'test',
    via: 'consume',
    checkpointBytes: 100,
    onNotice: () => undefined,
  });
}

/*
 * The socket keeps the folder of a paused process. Where it cannot, as in a folder that two kernels share, the process
 * finds out before it puts its files in the place of newer ones.
 */
test('an owner that wakes up in the middle of a checkpoint removes nothing of the next owner', async () => {
  const { files, paused, process } = await pausedAt('rename /shop/.orderctl/state.json.tmp');
  const other = await openIn(files, new ManualClock());
  for (let round = 0; round < 3; round++) {
    await other.edit({ kind: 'item.add', item: `book${round}`, quantity: round }, EDIT);
    await turns();
  }
  await other[Symbol.asyncDispose]();
  const left = new Map(files.names().map((name) => [name, files.get(name)?.toString()]));
  await expectEnd(paused, process);
  for (const [name, text] of left) expect([name, files.get(name)?.toString()]).toEqual([name, text]);
});

test('an owner that wakes up does not take the first lines of a log of the next owner for damage', async () => {
  const { files, paused, process } = await pausedAt(null);
  const other = await openIn(files, new ManualClock());
  const movement = { item: 'pen', delta: 1, cause: 'restock', orderId: null, eventId: 'n-1' } as const;
  const move = (store: FileStore): Promise<null> =>
    store.transact({}, () => ({ changes: { movements: [movement] }, result: null }));
  await move(other);
  process.wake();
  await expect(move(paused)).rejects.toMatchObject({ code: 'folder_in_use' });
  await paused[Symbol.asyncDispose]().catch((error: unknown) => {
    expect(error).toMatchObject({ code: 'folder_in_use' });
  });
  await other[Symbol.asyncDispose]();
});

test.each([
  ['before it names its checkpoint', 'sync /shop/.orderctl/tables.', 'sync /shop/.orderctl/state.json.tmp'],
  [
    'when it names its checkpoint',
    'sync /shop/.orderctl/state.json.tmp',
    'sync /shop/.orderctl/state.json.tmp',
  ],
  ['with CSVs to write', null, 'sync /shop/inventory.csv.new'],
])('an owner that wakes up %s leaves what the next one is writing', async (_, call, writing) => {
  const { files, paused, process } = await pausedAt(call);
  const clock = new ManualClock();
  const next = new Pausable(files, clock);
  const other = await openIn(next.files, next.clock);
  await other.edit({ kind: 'item.add', item: 'book', quantity: 1 }, EDIT);
  let isWriting = false as boolean;
  whenCalled(files, writing, () => {
    isWriting = true;
    next.pause();
  });
  const ending = other[Symbol.asyncDispose]();
  await turns();
  expect(isWriting).toBe(true);
  await expectEnd(paused, process);
  next.wake();
  await ending;
  await using last = await openIn(files, clock);
  expect(Array.from(await last.items(), ({ item }) => item)).toEqual(['pen', 'book']);
});

test('an owner that wakes up takes the table of the next one for no save to be kept aside', async () => {
  const { files, paused, process } = await pausedAt('sync /shop/.orderctl/tables.');
  const other = await openIn(files, new ManualClock());
  await other.edit({ kind: 'item.remove', item: 'pen' }, EDIT);
  await other[Symbol.asyncDispose]();
  await expectEnd(paused, process);
  expect(files.names().filter((name) => name.endsWith('.conflict'))).toEqual([]);
});

test('an owner that finds another has written ends, and does not try again', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-robbed-'));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
  const failures: Error[] = [];
  // Time stands still: nothing but what is asked for comes upon it.
  const clock = Object.assign(new FakeClock(), {
    sleep: (_ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve())),
  });
  const open = (): Promise<FileStore> =>
    FileStore.open({
      files: realFileSystem,
      folder,
      clock,
      user: 'test',
      via: 'consume',
      onNotice: () => undefined,
      onFailure: (failure) => failures.push(failure),
    });
  const robbed = await open();
  await using other = await open();
  const edit = { kind: 'user.add', user: 'alice', status: 'paid' } as const;
  const from = { by: 'test', via: 'command' } as const;
  await expect(robbed.edit(edit, from)).rejects.toMatchObject({ code: 'folder_in_use' });
  expect(failures).toMatchObject([{ code: 'folder_in_use' }]);
  await expect(robbed.edit(edit, from)).rejects.toBe(failures[0]);
  await robbed[Symbol.asyncDispose]();
  await other.edit(edit, from);
});
