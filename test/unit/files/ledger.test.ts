import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DecisionLines } from '../../../src/adapters/files/logs/decision-lines.ts';
import { realFileSystem, type FileSystem } from '../../../src/adapters/files/fs.ts';
import { Ledger } from '../../../src/adapters/files/ledger.ts';
import type { Decided } from '../../../src/domain/orders/decided.ts';
import { waitFor } from '../../support/wait.ts';

let folder: string;
let failures: unknown[];

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-ledger-'));
  failures = [];
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

const open = (files: FileSystem = realFileSystem): Promise<Ledger> =>
  Ledger.open(files, folder, (error) => void failures.push(error));
const inner = (name: string): string => path.join(folder, '.orderctl', name);
const state = (): string => fs.readFileSync(inner('state.json'), 'utf8');

async function decide(ledger: Ledger, from: number, to: number): Promise<void> {
  const orders = new DecisionLines();
  for (let n = from; n < to; n++) {
    const decided: Decided = {
      order: {
        orderId: `ORD-${n}`,
        user: 'alice',
        items: [{ item: 'book', quantity: 1, unitPrice: null }],
        createdAt: 0,
      },
      record: { topic: 'orders', partition: 0, offset: n },
      outcome: { kind: 'accepted', stock: [1] },
      decidedAt: 0,
    };
    orders.add(decided, ledger.nextSeq);
  }
  await ledger.commit({ seq: ledger.nextSeq, orders, lines: [] });
}

async function checkpoint(ledger: Ledger): Promise<void> {
  const before = state();
  await ledger.startCheckpoint();
  await waitFor('the checkpoint', () => state() !== before);
}

/** Flips a bit of the first entry of a run of the index. */
function damage(run: string): void {
  const bytes = fs.readFileSync(inner(run));
  bytes.writeUInt8(bytes.readUInt8(9) ^ 1, 9);
  fs.writeFileSync(inner(run), bytes);
}

function undecided(ledger: Ledger, count: number): string[] {
  const ids = Array.from({ length: count }, (_, n) => `ORD-${n}`);
  return ids.filter((id) => ledger.decided(id) === undefined);
}

test('a checkpoint names all ids when the index is built again while it is being sealed', async () => {
  let release: () => void = () => undefined;
  const hold = new Promise<void>((resolve) => (release = resolve));
  const sealed = new Set<number>();
  let isHolding = false;
  const ledger = await open({
    ...realFileSystem,
    open(name, mode) {
      const fd = realFileSystem.open(name, mode);
      if (mode === 'create' && path.basename(name) === 'ids.2') sealed.add(fd);
      return fd;
    },
    async sync(fd) {
      isHolding ||= sealed.has(fd);
      if (sealed.has(fd)) await hold;
      await realFileSystem.sync(fd);
    },
  });
  await decide(ledger, 0, 100);
  await checkpoint(ledger);
  damage('ids.1');
  await decide(ledger, 100, 110);
  await ledger.startCheckpoint();
  await waitFor('the seal to be under way', () => isHolding);
  expect(undecided(ledger, 110)).toEqual([]);
  release();
  // As a killed process leaves it: nothing more is written.
  await ledger.close();

  const again = await open();
  expect(undecided(again, 110)).toEqual([]);
  await again.close();
  expect(failures).toEqual([]);
});

test('damage that a merge of the index meets is mended by the next look-up, and ends nothing', async () => {
  let ledger = await open();
  for (let round = 0; round < 6; round++) {
    await decide(ledger, round * 10, round * 10 + 10);
    await checkpoint(ledger);
  }
  damage('ids.1');
  await decide(ledger, 60, 70);
  await checkpoint(ledger);
  await ledger.close();
  for (let start = 0; start < 2; start++) {
    ledger = await open();
    expect(undecided(ledger, 70)).toEqual([]);
    await decide(ledger, 0, 0);
    await ledger.finish();
    await ledger.close();
  }
  expect(failures).toEqual([]);
});

test.each<[string, (name: string) => void]>([
  [
    'replaced by another of the same length',
    (name) => {
      fs.copyFileSync(name, `${name}.copy`);
      fs.renameSync(`${name}.copy`, name);
    },
  ],
  ['shortened', (name) => fs.truncateSync(name, 10)],
  ['lengthened', (name) => fs.appendFileSync(name, '{}\n')],
  ['removed', (name) => fs.rmSync(name)],
])('no checkpoint is made of a log that was %s meanwhile', async (_how, change) => {
  const ledger = await open();
  await decide(ledger, 0, 10);
  const before = state();
  const file = path.join(folder, 'orders.jsonl');
  change(file);
  const refused = { code: 'corrupt_state', context: { file } };
  await expect(ledger.startCheckpoint()).rejects.toMatchObject(refused);
  await expect(ledger.finish()).rejects.toMatchObject(refused);
  await ledger.close();
  expect(state()).toBe(before);
});
