import { describe, test } from 'vitest';
import { killableBrokers } from '../support/killable-broker.ts';
import { randomFrom } from '../support/random.ts';
import { killServe } from '../support/serve-kills.ts';

/** `npm run crash-test -- serve-kills`: server and broker under kill -9 while orders are placed, as often as one likes. */
const kills = Number(process.env.ORDERCTL_TEST_KILLS ?? 1_000);
const seed = Number(process.env.ORDERCTL_TEST_SEED ?? Date.now() % 1_000_000);
const KILLS_PER_SHOP = 25;

const startBroker = killableBrokers();

describe(`${kills} kills between request and answer (ORDERCTL_TEST_SEED=${seed})`, () => {
  const shops = Array.from({ length: Math.ceil(kills / KILLS_PER_SHOP) }, (_, at) => at);
  test.for(shops)(
    'shop %i has every order that it was answered 202 for',
    { timeout: 1_200_000 },
    async (index) => {
      const count = Math.min(KILLS_PER_SHOP, kills - index * KILLS_PER_SHOP);
      const { answered, again } = await killServe(await startBroker(), count, randomFrom(seed + index));
      process.stderr.write(
        `shop ${index}: ${count} kills, ${answered.length} answered, ${again} sent again\n`,
      );
    },
  );
});
