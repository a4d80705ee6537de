import { describe, test } from 'vitest';
import { randomFrom } from '../support/random.ts';
import { killCheckout } from '../support/run-kills/checkout.ts';
import { killDirectFlow } from '../support/run-kills/direct-flow.ts';

/** `npm run crash-test -- run-kills`: `run` with events, alerts and mail under kill -9, as often as one likes. */
const kills = Number(process.env.ORDERCTL_TEST_KILLS ?? 200);
const seed = Number(process.env.ORDERCTL_TEST_SEED ?? Date.now() % 1_000_000);
const KILLS_PER_SHOP = 25;

describe(`${kills} kills of a run (ORDERCTL_TEST_SEED=${seed})`, () => {
  const shops = Array.from({ length: Math.ceil(kills / KILLS_PER_SHOP) }, (_, i) => i);
  const killsOf = (index: number): number => Math.min(KILLS_PER_SHOP, kills - index * KILLS_PER_SHOP);
  test.for(shops)(
    'shop %i loses and doubles no event, alert or mail',
    { timeout: 600_000 },
    async (index) => {
      await killDirectFlow(killsOf(index), randomFrom(seed + index));
    },
  );
});

describe(`${kills} kills of the checkout (ORDERCTL_TEST_SEED=${seed})`, () => {
  const shops = Array.from({ length: Math.ceil(kills / KILLS_PER_SHOP) }, (_, i) => i);
  const killsOf = (index: number): number => Math.min(KILLS_PER_SHOP, kills - index * KILLS_PER_SHOP);
  test.for(shops)('shop %i takes every order to one end', { timeout: 600_000 }, async (index) => {
    await killCheckout(killsOf(index), randomFrom(seed + index));
  });
});
