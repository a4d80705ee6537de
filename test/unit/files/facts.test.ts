import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openFolder } from '../../../src/adapters/files/folder.ts';
import { audit } from '../../../src/app/audit/audit.ts';
import { systemClock } from '../../../src/compose.ts';
import { newFact, type FactLog } from '../../../src/domain/facts.ts';
import type { Store } from '../../../src/ports/store.ts';

const STEPS: FactLog<{ id: string; step: number }> = { name: 'steps', key: 'id' };
const how = { purpose: 'test', via: 'consume', onNotice: () => undefined } as const;

/** A folder with facts in several runs of the index. */
async function made(): Promise<{ folder: string; own: () => Promise<Store> }> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-facts-'));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
  const own = (): Promise<Store> => openFolder({ folder, clock: systemClock, user: 'tester' }).own(how);
  for (let owner = 0; owner < 9; owner++) {
    await using store = await own();
    const facts = Array.from({ length: 40 }, (_, i) =>
      newFact(STEPS, { id: `k${i % 10}`, step: owner * 40 + i }),
    );
    await store.transact({}, () => ({ changes: { facts }, result: null }));
  }
  return { folder, own };
}

const wanted = Array.from({ length: 36 }, (_, i) => i * 10 + 3);

it('facts are all there after merges of the index', async () => {
  const { folder, own } = await made();
  await using store = await own();
  const runs = fs.readdirSync(path.join(folder, '.orderctl')).filter((name) => name.startsWith('ids.'));
  expect(runs.length).toBeLessThan(9);
  expect((await store.facts(STEPS, 'k3')).map(({ step }) => step)).toEqual(wanted);
});

it('facts are found again when the index is damaged, and an audit says so', async () => {
  const { folder, own } = await made();
  const inner = path.join(folder, '.orderctl');
  const run = fs.readdirSync(inner).find((name) => name.startsWith('ids.')) ?? '';
  fs.rmSync(path.join(inner, run));
  const access = openFolder({ folder, clock: systemClock, user: 'tester' });
  {
    await using reader = await access.read();
    expect((await reader.facts(STEPS, 'k3')).map(({ step }) => step)).toEqual(wanted);
  }
  const found = await audit(access, { topic: null, repair: true, onNotice: how.onNotice });
  expect(found.total).toBe(0);
  expect(found.repaired.map(({ kind }) => kind)).toEqual(['index_damaged']);
  await using store = await own();
  expect((await store.facts(STEPS, 'k3')).map(({ step }) => step)).toEqual(wanted);
});

it('an audit of a folder with facts finds nothing wrong with it', async () => {
  const { folder } = await made();
  const access = openFolder({ folder, clock: systemClock, user: 'tester' });
  const found = await audit(access, { topic: null, repair: false, onNotice: how.onNotice });
  expect(found.differences).toEqual([]);
});

it('a folder that has lost .orderctl beside facts alone is refused, not taken for a fresh one', async () => {
  const { folder, own } = await made();
  fs.rmSync(path.join(folder, '.orderctl'), { recursive: true });
  for (const name of ['orders.jsonl', 'rejections.jsonl'])
    fs.rmSync(path.join(folder, name), { force: true });
  fs.writeFileSync(path.join(folder, 'movements.jsonl'), '{"seq":1,"item":"pen"}\n');
  // Of the user.
  fs.writeFileSync(path.join(folder, 'notes.jsonl'), '{"note":"mine"}\n');
  const lost = (first: string, all: string): object => ({
    code: 'corrupt_state',
    message: expect.stringContaining(`${first} contains decisions`) as string,
    fix: expect.stringContaining(`move ${all} away`) as string,
  });
  const access = openFolder({ folder, clock: systemClock, user: 'tester' });
  await expect(own()).rejects.toMatchObject(lost('movements.jsonl', 'movements.jsonl, steps.jsonl'));
  fs.rmSync(path.join(folder, 'movements.jsonl'));
  await expect(own()).rejects.toMatchObject(lost('steps.jsonl', 'steps.jsonl'));
  fs.writeFileSync(path.join(folder, 'users.csv'), 'user,status\nalice,paid\n');
  await expect(access.read()).rejects.toMatchObject(lost('steps.jsonl', 'steps.jsonl'));
  fs.rmSync(path.join(folder, 'steps.jsonl'));
  await (await own())[Symbol.asyncDispose]();
});
