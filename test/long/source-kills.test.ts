import { describe, test } from 'vitest';
import { randomFrom } from '../support/random.ts';
import { startDatabase } from '../support/run-kills/database.ts';
import { killSources } from '../support/run-kills/sources.ts';

/** `npm run crash-test -- source-kills`: all sources of stock under kill -9, as often as one likes; half of it on PostgreSQL. */
const kills = Number(process.env.ORDERCTL_TEST_KILLS ?? 300);
const seed = Number(process.env.ORDERCTL_TEST_SEED ?? Date.now() % 1_000_000);
const KILLS_PER_SHOP = 15;

describe(`${kills} kills of a run over all sources (ORDERCTL_TEST_SEED=${seed})`, () => {
  const shops = Array.from({ length: Math.ceil(kills / KILLS_PER_SHOP) }, (_, i) => i);
  test.for(shops)('shop %i counts every event once', { timeout: 900_000 }, async (index) => {
    const database = index % 2 === 0 ? null : await startDatabase();
    const some = Math.min(KILLS_PER_SHOP, kills - index * KILLS_PER_SHOP);
    await killSources(some, randomFrom(seed + index), database);
  });
});
