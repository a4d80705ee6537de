import { describe, expect, test, vi } from 'vitest';
import { IS_FULL } from '../../support/effort.ts';
import { explore } from './explore.ts';
import { RULES, type Rules } from './rules.ts';
import { BROKEN, LARGER, rulesOf, SHORT } from './scenarios.ts';
import { beginPaid, type Scenario } from './world.ts';

// A busy machine may need more time.
vi.setConfig({ testTimeout: 240_000 });

/*
 * Some of the short scenarios of `npm run model`, which prints the number of states and the path to each violation. The
 * model imports nothing from src, so no change of the program can change the model. `npm run test:long` runs all of
 * them.
 */

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

/** Without one of these rules, the violation is found only after as many states as a whole scenario has. */
const FOUND_LATE = new Set([
  'comparesAttempts',
  'answersSeeFacts',
  'remembersDoubt',
  'waitsForRequests',
  'redrivesTheSame',
]);

describe('without one of its rules the heart fails', () => {
  test.each(Object.entries(BROKEN).filter(([rule]) => IS_FULL || !FOUND_LATE.has(rule)))(
    '%s',
    (rule, [scenario, what]) => {
      expect(explore(scenario, { ...RULES, [rule]: false }).found?.what).toMatch(what);
    },
  );
});

if (IS_FULL) {
  test('nothing rests on the leases of shards: without them messages are only repeated', () => {
    const scenario = beginPaid({ created: ['a', 'b'], stock: 2, budget: { crashes: 1 } });
    expectNothingWrong(scenario, { ...RULES, leasesShards: false });
  });
}
