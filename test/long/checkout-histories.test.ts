import { describe, test } from 'vitest';
import { liveRace, liveShop } from '../support/checkout-histories.ts';

/** `npm run histories`: the checkout in memory, as many histories as one likes. */
const histories = Number(process.env.ORDERCTL_TEST_HISTORIES ?? 10_000);
const seed = Number(process.env.ORDERCTL_TEST_SEED ?? Date.now() % 1_000_000);
const IN_A_STRETCH = 1_000;

describe.each([
  ['shops', liveShop],
  ['races for the last one', liveRace],
])(`%s from ORDERCTL_TEST_SEED=${seed}`, (_, live) => {
  const stretches = Array.from(
    { length: Math.ceil(histories / 2 / IN_A_STRETCH) },
    (_, i) => i * IN_A_STRETCH,
  );
  test.for(stretches)('come out even from the seed and %i', { timeout: 3_600_000 }, async (from) => {
    const to = Math.min(from + IN_A_STRETCH, histories / 2);
    for (let at = from; at < to; at++) await live(seed + at);
  });
});
