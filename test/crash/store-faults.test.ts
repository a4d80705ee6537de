import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { isFailure } from '../../src/domain/failure.ts';
import { FaultyFs, random } from '../support/faulty-fs.ts';
import { allowed, expectTruth, run } from '../support/store-check.ts';
import { emptyTruth, FOLDER, makeHistory, Runner, turn } from '../support/store-history.ts';

// Thousands of runs: a busy machine may need its time.
vi.setConfig({ testTimeout: 120_000 });

const FIRST_SEED = Number(process.env.ORDERCTL_TEST_SEED ?? 1);

test.each(['ENOSPC', 'EIO'] as const)(
  'a call that fails with %s stops all writing, and loses nothing',
  async (code) => {
    const history = makeHistory(FIRST_SEED, 12);
    const whole = new FaultyFs(FIRST_SEED);
    await run(history, new Runner(history, whole), 0, emptyTruth());
    expect(whole.openFiles).toBe(0);
    for (let call = 1; call <= whole.calls; call++) {
      const files = new FaultyFs(FIRST_SEED + call, { kind: 'fail', call, code });
      const runner = new Runner(history, files);
      try {
        const progress = await run(history, runner, 0, emptyTruth());
        expect(progress.stopped, 'what was told').toSatisfy((error) => isFailure(error, 'write_failed'));
        await expectNoMoreWrites(runner);
        const truths = allowed(history, progress);
        const survived = files.survived(call % 2 === 0 ? 'kill' : 'power');
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

test('a damaged file is refused with a way out, or was not needed', async () => {
  const next = random(FIRST_SEED);
  let refused = 0;
  for (let round = 0; round < 400; round++) {
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
    const truths = allowed(history, progress);
    try {
      await expectTruth(new Runner(history, survived), truths);
    } catch (error) {
      const ok = isFailure(error, 'corrupt_state') && error.fix !== null && error.message.includes(FOLDER);
      if (!ok) throw new Error(what, { cause: error });
      refused += 1;
    }
  }
  // Most damage hits something that counts.
  expect(refused).toBeGreaterThan(100);
});
