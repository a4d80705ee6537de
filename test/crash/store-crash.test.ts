import { expect, test } from 'vitest';
import { isFailure } from '../../src/domain/failure.ts';
import { FolderReader } from '../../src/adapters/files/reader.ts';
import { tries } from '../support/effort.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FaultyFs } from '../support/faulty-fs.ts';
import { randomFrom } from '../support/random.ts';
import { allowed, asText, expectOneOf, expectTruth, run } from '../support/store-check.ts';
import {
  after,
  emptyTruth,
  FOLDER,
  isByHand,
  isCrash,
  makeHistory,
  observe,
  Runner,
  type History,
  type Operation,
} from '../support/store-history.ts';

/*
 * For every changing call of a history (in `npm test` for some of them): crash right before it, look at what a reader sees, recover (and sometimes
 * crash in the recovery), and compare with what was acknowledged. The operation in flight may have happened or
 * not; nothing else may differ. Then the rest of the history runs and must end as it would have without the crash.
 */

const FIRST_SEED = Number(process.env.ORDERCTL_TEST_SEED ?? 1);
const SEEDS = Number(process.env.ORDERCTL_TEST_SEEDS ?? 2);
/** One of so many calls. Odd: both ways to crash come in turn. */
const EVERY = tries(1, 15);

async function callsOf(history: History): Promise<number> {
  const files = new FaultyFs(history.seed);
  const runner = new Runner(history, files);
  const { truth } = await run(history, runner, 0, emptyTruth());
  await expectTruth(runner, [truth]);
  return files.calls;
}

/** What a reader sees; a folder of which nothing was written yet is none. */
async function seenBy(files: FaultyFs): Promise<object> {
  try {
    await using reader = await FolderReader.open(files, FOLDER, new FakeClock());
    return await observe(reader);
  } catch (error) {
    if (!isFailure(error, 'not_found')) throw error;
    return emptyTruth();
  }
}

async function crashAndRecover(history: History, call: number, how: 'kill' | 'power'): Promise<void> {
  const files = new FaultyFs(history.seed * 7919 + call, { kind: 'crash', call });
  const progress = await run(history, new Runner(history, files), 0, emptyTruth());
  const truths = allowed(history, progress);
  let survived = files.survived(how);

  const before = survived.names().length;
  // A reader sees no edits, and nothing that is in files of its own.
  const left = { edits: undefined, unsent: undefined, ambiguous: undefined };
  const seen = { ...(await seenBy(survived)), ...left };
  expect(survived.names().length, 'names after a reader').toBe(before);
  const visible = truths.map((truth) => asText({ ...truth, ...left }));
  expectOneOf(asText(seen), visible, 'what a reader sees');

  // A crash in the recovery, at a call that differs from run to run.
  const recoveryCall = 1 + Math.floor(randomFrom(call)() * 40);
  survived.arm({ kind: 'crash', call: recoveryCall });
  const recovering = new Runner(history, survived);
  try {
    await recovering.open();
  } catch (error) {
    if (!isCrash(error)) throw error;
  }
  // The other way in half of the runs: what a killed process left unsynced is lost with the power then.
  survived = survived.survived(randomFrom(call + 1)() < 0.5 ? 'power' : how);

  const runner = new Runner(history, survived);
  const index = await expectTruth(runner, truths);
  const truth = truths[index] ?? progress.truth;
  const inFlight = history.operations[progress.done];
  const byHand = inFlight !== undefined && isByHand(inFlight);
  const happened = byHand ? progress.runner.saved !== null : truths.length === 2 && index === 1;
  const end = await run(history, runner, progress.done + (happened ? 1 : 0), truth);
  expect(end.stopped).toBeNull();
  await expectTruth(new Runner(history, survived), [end.truth]);
}

test.each(Array.from({ length: SEEDS }, (_, index) => FIRST_SEED + index))(
  'history %i survives a crash before every call',
  async (seed) => {
    const history = makeHistory(seed, 12);
    const calls = await callsOf(history);
    expect(calls).toBeGreaterThan(50);
    for (let call = 1 + (seed % EVERY); call <= calls; call += EVERY) {
      // Each seed takes one of the two ways at each call; the next seed takes the other.
      const how = (call + seed) % 2 === 0 ? 'kill' : 'power';
      try {
        await crashAndRecover(history, call, how);
      } catch (error) {
        throw new Error(`seed ${seed}, crash before call ${call} of ${calls}, ${how}`, { cause: error });
      }
    }
  },
  120_000,
);

test('what is acknowledged after a recovery that was killed survives the power too', async () => {
  const edit: Operation = { kind: 'edit', request: { kind: 'item.update', item: 'book', by: 4 } };
  const { topic, operations } = makeHistory(FIRST_SEED, 0);
  // The crash comes in the first commit after a restart: then the journal holds nothing but a part of it.
  const history: History = {
    seed: FIRST_SEED,
    topic,
    operations: [...operations, { kind: 'restart' }, edit],
  };
  const whole = new FaultyFs(FIRST_SEED);
  await run(history, new Runner(history, whole), 0, emptyTruth());
  const writes = whole.trace.flatMap((what, index) =>
    /^write .*journal\.2\b/.test(what) ? [index + 1] : [],
  );
  let recoveries = 0;
  for (const call of writes) {
    for (let recoveryCall = 1 + (call % EVERY); ; recoveryCall += EVERY) {
      const files = new FaultyFs(call, { kind: 'crash', call });
      const progress = await run(history, new Runner(history, files), 0, emptyTruth());
      const truths = allowed(history, progress);
      const killed = files.survived('kill');
      killed.arm({ kind: 'crash', call: recoveryCall });
      try {
        await new Runner(history, killed).open();
        break;
      } catch (error) {
        if (!isCrash(error)) throw error;
      }
      recoveries += 1;
      const runner = new Runner(history, killed.survived('kill'));
      const index = await expectTruth(runner, truths);
      await runner.perform(edit);
      const truth = after(truths[index] ?? progress.truth, edit, history);
      for (let round = 0; round < 4; round++) {
        const what = `crash before call ${call}, then ${recoveryCall} of the recovery: ${killed.trace.at(-1)}`;
        await expectTruth(new Runner(history, runner.files.survived('power')), [truth]).catch(
          (cause: unknown) => {
            throw new Error(what, { cause });
          },
        );
      }
    }
  }
  expect(recoveries).toBeGreaterThan(50 / EVERY);
}, 120_000);
