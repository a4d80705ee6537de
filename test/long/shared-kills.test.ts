import { describe, test } from 'vitest';
import { randomFrom } from '../support/random.ts';
import { killShared } from '../support/run-kills/shared.ts';

/** `npm run crash-test -- shared-kills`: services as processes on one PostgreSQL under kill -9, as often as one likes. */
const kills = Number(process.env.ORDERCTL_TEST_KILLS ?? 100);
const seed = Number(process.env.ORDERCTL_TEST_SEED ?? Date.now() % 1_000_000);
const KILLS_PER_SHOP = 25;

describe(`${kills} kills of services on PostgreSQL (ORDERCTL_TEST_SEED=${seed})`, () => {
  const shops = Array.from({ length: Math.ceil(kills / KILLS_PER_SHOP) }, (_, i) => i);
  test.for(shops)('shop %i takes every order to one end', { timeout: 900_000 }, async (index) => {
    const killed = await killShared(
      Math.min(KILLS_PER_SHOP, kills - index * KILLS_PER_SHOP),
      randomFrom(seed + index),
    );
    process.stderr.write(
      `killed: ${[...killed].map(([victim, count]) => `${count} ${victim}`).join(', ')}\n`,
    );
  });
});
