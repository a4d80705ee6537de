import { expect, test, vi } from 'vitest';
import { tries } from '../support/effort.ts';
import { fuzzBatches, noBatchCounts } from './batches.ts';
import { fuzzBodies, noBodyCounts } from './bodies.ts';
import { fuzzFiles, noFileCounts } from './files.ts';
import { fuzzFollow, noFollowCounts } from './follow.ts';
import { fuzzMessages, noMessageCounts } from './messages.ts';
import { fuzzRecords, noRecordCounts } from './records.ts';

/* A short run of the fuzzers: longer with npm run test:long, as long as one likes with npm run fuzz. */

const SEED = Number(process.env.ORDERCTL_TEST_SEED ?? 1);
/** Logs of which each line counts. */
const WAITING = /outbox\.|happened|movements/;
// A busy machine may need its time.
vi.setConfig({ testTimeout: 240_000 });

test('hostile records end in one place each, and change nothing else', async () => {
  const counts = noRecordCounts();
  await fuzzRecords(SEED, tries(1_500, 100), counts);
  expect(counts.orders).toBeGreaterThan(counts.records / 20);
  expect(counts.duplicates).toBeGreaterThan(counts.records / 200);
  expect(Object.keys(counts.byCode).length).toBeGreaterThan(5);
});

test('hostile bytes on the topic of any message are read, or are a dead letter', async () => {
  const counts = noMessageCounts();
  await fuzzMessages(SEED, tries(150, 20), counts);
  expect(counts.read).toBeGreaterThan(counts.messages / 6);
  expect(Object.keys(counts.byCode).length).toBeGreaterThan(5);
});

test('hostile bodies of a request are taken or are the client’s problem, each with an answer', async () => {
  const counts = noBodyCounts();
  await fuzzBodies(SEED, tries(300, 10), counts);
  expect(counts.taken).toBeGreaterThan(counts.bodies / 20);
  expect(Object.keys(counts.byStatus).length).toBeGreaterThan(3);
});

test('hostile record batches and bombs are read or refused', () => {
  const counts = noBatchCounts();
  fuzzBatches(SEED, tries(2_000, 60), counts);
  expect(counts.refused).toBeGreaterThan(counts.batches / 4);
  expect(counts.refused).toBeLessThan(counts.batches);
});

test('damaged files are refused or were not needed: of the journals every byte and length, of the others some', async () => {
  const counts = noFileCounts();
  const share = tries(1, 0.015);
  await fuzzFiles(
    SEED,
    (name) => share * (name.includes('/journal.') ? 1 : WAITING.test(name) ? 0.03 : 0.01),
    counts,
  );
  expect(counts.files).toBeGreaterThan(1_000 * share);
  expect(counts.refused).toBeGreaterThan(500 * share);
});

test('who follows a folder whose journals are damaged has what was committed, or says that it is another folder', async () => {
  const counts = noFollowCounts();
  await fuzzFollow(SEED, tries(4_000, 40), counts);
  expect(counts.whole).toBeGreaterThan(counts.followed / 10);
  expect(counts.refused).toBeGreaterThan(counts.followed / 10);
});
