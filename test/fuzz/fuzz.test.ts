import { expect, test, vi } from 'vitest';
import { fuzzBatches, noBatchCounts } from './batches.ts';
import { fuzzFiles, noFileCounts } from './files.ts';
import { fuzzMessages, noMessageCounts } from './messages.ts';
import { fuzzRecords, noRecordCounts } from './records.ts';

/* A short run of the fuzzers; as long as one likes: npm run fuzz. */

const SEED = Number(process.env.ORDERCTL_TEST_SEED ?? 1);
/** Logs of which each line counts. */
const WAITING = /outbox\.|happened|movements/;
// A busy machine may need its time.
vi.setConfig({ testTimeout: 240_000 });

test('hostile records end in one place each, and change nothing else', async () => {
  const counts = noRecordCounts();
  await fuzzRecords(SEED, 1_500, counts);
  expect(counts.orders).toBeGreaterThan(75);
  expect(counts.duplicates).toBeGreaterThan(7);
  expect(Object.keys(counts.byCode).length).toBeGreaterThan(5);
});

test('hostile bytes on the topic of any message are read, or are a dead letter', async () => {
  const counts = noMessageCounts();
  await fuzzMessages(SEED, 150, counts);
  expect(counts.read).toBeGreaterThan(counts.messages / 6);
  expect(Object.keys(counts.byCode).length).toBeGreaterThan(5);
});

test('hostile record batches and bombs are read or refused', () => {
  const counts = noBatchCounts();
  fuzzBatches(SEED, 2_000, counts);
  expect(counts.refused).toBeGreaterThan(500);
  expect(counts.refused).toBeLessThan(counts.batches);
});

test('damaged files are refused or were not needed: every byte and length of the journals, some of the others', async () => {
  const counts = noFileCounts();
  await fuzzFiles(
    SEED,
    (name) => (name.includes('/journal.') ? 1 : WAITING.test(name) ? 0.03 : 0.01),
    counts,
  );
  expect(counts.files).toBeGreaterThan(1_000);
  expect(counts.refused).toBeGreaterThan(500);
});
