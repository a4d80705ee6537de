import { describe, expect, test, vi } from 'vitest';
import { IS_FULL } from '../../support/effort.ts';
import { explore } from './explore.ts';
import { RULES, type Rules } from './rules.ts';
import { BROKEN, LARGER, rulesOf, SHORT } from './scenarios.ts';
import { beginPaid, type Scenario } from './world.ts';

// A busy machine may need its time.
vi.setConfig({ testTimeout: 240_000 });

/* The short bounds of `npm run model`, which prints how many states there are, and each way to what goes wrong. */

function expectNothingWrong(scenario: Scenario, rules: Rules): void {
  const { found, finalStates } = explore(scenario, rules);
  expect(found).toBeNull();
  expect(finalStates).toBeGreaterThan(0);
}

describe('nothing is lost, charged twice, sent under two ids or with two contents, or stuck', () => {
  test.each(Object.entries({ ...SHORT, ...(IS_FULL ? LARGER : {}) }))('%s', (_name, scenario) => {
    expectNothingWrong(scenario, rulesOf(scenario));
  });
});

describe('without one of its rules the heart fails', () => {
  test.each(Object.entries(BROKEN))('%s', (rule, [scenario, what]) => {
    expect(explore(scenario, { ...RULES, [rule]: false }).found?.what).toMatch(what);
  });
});

test('nothing rests on the leases of shards: without them messages are only repeated', () => {
  const scenario = beginPaid({ created: ['a', 'b'], stock: 2, budget: { crashes: 1 } });
  expectNothingWrong(scenario, { ...RULES, leasesShards: false });
});
