import { describe, test } from 'vitest';
import { openShop } from '../support/cli.ts';
import { killLoop } from '../support/kill-loop.ts';
import { randomFrom } from '../support/random.ts';

/** `npm run crash-test`: the binary under kill -9, as often as one likes. */
const kills = Number(process.env.ORDERCTL_TEST_KILLS ?? 500);
const seed = Number(process.env.ORDERCTL_TEST_SEED ?? Date.now() % 1_000_000);
const KILLS_PER_SHOP = 25;

describe(`${kills} kills in full flow (ORDERCTL_TEST_SEED=${seed})`, () => {
  const shops = Math.ceil(kills / KILLS_PER_SHOP);
  test.for(Array.from({ length: shops }, (_, i) => i))(
    'shop %i ends with stock = start + edits - sold, and each id decided once',
    { timeout: 600_000 },
    async (index) => {
      const count = Math.min(KILLS_PER_SHOP, kills - index * KILLS_PER_SHOP);
      await killLoop(openShop(), count, randomFrom(seed + index));
    },
  );
});
