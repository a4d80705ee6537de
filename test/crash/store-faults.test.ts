import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { isFailure } from '../../src/domain/failure.ts';
import { tries } from '../support/effort.ts';
import { FaultyFs } from '../support/faulty-fs.ts';
import { randomFrom } from '../support/random.ts';
import { allowed, allowedOfCut, expectTruth, run } from '../support/store-check.ts';
import { after, emptyTruth, FOLDER, makeHistory, Runner, type Operation } from '../support/store-history.ts';
import { turn } from '../simulate/manual-clock.ts';

// Thousands of runs in full: a busy machine may need its time.
vi.setConfig({ testTimeout: 120_000 });

const FIRST_SEED = Number(process.env.ORDERCTL_TEST_SEED ?? 1);
/** One of so many calls. */
const EVERY = tries(1, 11);

test.each([
  [1, 'ENOSPC'],
  [2, 'EIO'],
] as const)(
  'each second call, from %i on, fails with %s, which stops all writing and loses nothing',
  async (first, code) => {
    const history = makeHistory(FIRST_SEED, 12);
    const whole = new FaultyFs(FIRST_SEED);
    await run(history, new Runner(history, whole), 0, emptyTruth());
    expect(whole.openFiles).toBe(0);
    for (let call = first; call <= whole.calls; call += 2 * EVERY) {
      const files = new FaultyFs(FIRST_SEED + call, { kind: 'fail', call, code });
      const runner = new Runner(history, files);
      try {
        const progress = await run(history, runner, 0, emptyTruth());
        expect(progress.stopped, 'what was reported').toSatisfy((error) => isFailure(error, 'write_failed'));
        await expectNoMoreWrites(runner);
        const truths = allowed(history, progress);
        const survived = files.survived(call % 4 < 2 ? 'kill' : 'power');
        const recovered = new Runner(history, survived);
        const index = await expectTruth(recovered, truths);
        await recovered.store?.[Symbol.asyncDispose]();
        await expectTruth(new Runner(history, survived), [truths[index] ?? progress.truth]);
      } catch (error) {
        const called = files.trace.at(call - 1) ?? '';
        throw new Error(`seed ${FIRST_SEED}, ${code} at call ${call}: ${called}`, { cause: error });
      }
    }
  },
);

test('a read that fails stops the run or is not needed, and loses nothing', async () => {
  const history = makeHistory(FIRST_SEED, 12);
  const whole = new FaultyFs(FIRST_SEED);
  await run(history, new Runner(history, whole), 0, emptyTruth());
  let stopped = 0;
  for (let call = 1; call <= whole.reads; call += EVERY) {
    const files = new FaultyFs(FIRST_SEED + call, { kind: 'fail_read', call });
    try {
      const progress = await run(history, new Runner(history, files), 0, emptyTruth());
      if (progress.stopped !== null) stopped += 1;
      const survived = files.survived(call % 2 === 0 ? 'kill' : 'power');
      await expectTruth(new Runner(history, survived), allowed(history, progress));
    } catch (error) {
      throw new Error(`seed ${FIRST_SEED}, read ${call} of ${whole.reads}`, { cause: error });
    }
  }
  expect(stopped).toBeGreaterThan(40 / EVERY);
});

async function expectNoMoreWrites(runner: Runner): Promise<void> {
  const { store, files } = runner;
  if (store === undefined) return;
  // What was under way in the background comes to its end.
  for (let turns = 0; turns < 20; turns++) await turn();
  const calls = files.calls;
  const again = store.transact({}, () => ({ changes: { outgoing: [] }, result: null }));
  await expect(again, 'a later transaction').rejects.toSatisfy((error) => isFailure(error, 'write_failed'));
  await store[Symbol.asyncDispose]();
  expect(files.trace.slice(calls), 'written after the failure').toEqual([]);
  expect(files.openFiles, 'files left open').toBe(0);
}

/** The next sync of one file waits until it is released, and fails then. */
class LateFailure extends FaultyFs {
  isWaiting = false;
  fail: () => void = () => undefined;
  #name: string | undefined;
  readonly #fds = new Map<number, string>();

  holdSyncOf(name: string): void {
    this.#name = name;
  }

  override open(name: string, mode: 'read' | 'append' | 'create'): number {
    const fd = super.open(name, mode);
    this.#fds.set(fd, name);
    return fd;
  }

  override async sync(fd: number): Promise<void> {
    if (this.#fds.get(fd) === this.#name) {
      this.#name = undefined;
      this.isWaiting = true;
      await new Promise<void>((resolve) => (this.fail = resolve));
      this.arm({ kind: 'fail', call: 1, code: 'EIO' });
    }
    await super.sync(fd);
  }
}

test('a log whose sync failed in the background is not called durable at the end', async () => {
  const history = makeHistory(FIRST_SEED, 0);
  const files = new LateFailure(FIRST_SEED);
  const runner = new Runner(history, files);
  let truth = emptyTruth();
  const perform = async (operation: Operation): Promise<void> => {
    await runner.perform(operation);
    truth = after(truth, operation, history);
  };
  for (const operation of history.operations) await perform(operation);
  files.holdSyncOf(`${FOLDER}/orders.jsonl`);
  for (let round = 0; round < 100 && !files.isWaiting; round++) {
    await perform({ kind: 'batch', count: 2 });
    await perform({ kind: 'edit', request: { kind: 'item.update', item: 'book', by: 4 } });
  }
  expect(files.isWaiting, 'a checkpoint is under way').toBe(true);
  // A commit after the checkpoint's cut calls for another one at the end.
  await perform({ kind: 'edit', request: { kind: 'item.update', item: 'pen', by: 4 } });
  const ending = expect(runner.store?.[Symbol.asyncDispose]()).rejects.toSatisfy((error) =>
    isFailure(error, 'write_failed'),
  );
  // By now it waits for the checkpoint.
  for (let turns = 0; turns < 20; turns++) await turn();
  files.fail();
  await ending;
  expect(files.openFiles).toBe(0);
  for (let round = 0; round < 10; round++) {
    await expectTruth(new Runner(history, files.survived('power')), [truth]);
  }
});

test('a damaged file is refused with a way out, or was not needed', async () => {
  const next = randomFrom(FIRST_SEED);
  let refused = 0;
  for (let round = 0; round < tries(200, 24); round++) {
    const seed = FIRST_SEED + (round % 8);
    const history = makeHistory(seed, 14);
    const files = new FaultyFs(seed, { kind: 'crash', call: 60 + Math.floor(next() * 200) });
    const progress = await run(history, new Runner(history, files), 0, emptyTruth());
    const survived = files.survived('kill');
    const names = survived
      .names()
      .filter((name) => !name.includes('.csv') && (survived.get(name)?.length ?? 0) > 0);
    const name = names[Math.floor(next() * names.length)] ?? '';
    const bytes = Buffer.from(survived.get(name) ?? '');
    const position = Math.floor(next() * bytes.byteLength);
    const truncated = next() < 0.3;
    bytes[position] = (bytes[position] ?? 0) ^ (1 << Math.floor(next() * 8));
    survived.put(name, truncated ? bytes.subarray(0, position) : bytes);

    const what = `seed ${seed}, round ${round}, ${truncated ? 'cut' : 'flip'} ${path.basename(name)} at ${position} of ${bytes.byteLength}`;
    const isCutJournal = truncated && path.basename(name).startsWith('journal.');
    const unnoticed = isCutJournal ? allowedOfCut(history, progress) : [];
    try {
      await expectTruth(new Runner(history, survived), [...unnoticed, ...allowed(history, progress)]);
    } catch (error) {
      const ok = isFailure(error, 'corrupt_state') && error.fix !== null && error.message.includes(FOLDER);
      if (!ok) throw new Error(what, { cause: error });
      refused += 1;
    }
  }
  // Most damage hits something that counts.
  expect(refused).toBeGreaterThan(tries(50, 6));
});
