import { describe, expect, test } from 'vitest';
import { explore } from './explore.ts';
import { begin, beginPaid, POISON, RULES, type Budget, type Rules, type World } from './world.ts';

/*
 * Every state of two instances on one store, with crashes, sleep, lost answers and forgotten keys anywhere. With
 * ORDERCTL_TEST_LONG=1 more of each at once: a million states, a few minutes.
 */

const ONE_OF_EACH: Budget = { crashes: 1, expiries: 1, lostAnswers: 1, forgets: 1 };

type Case = [name: string, created: readonly string[], budget: Budget];

const CASES: Case[] = [
  ['one order, asleep', ['a'], { ...ONE_OF_EACH, crashes: 0, forgets: 0 }],
  ['one order, twice in the topic', ['a', 'a'], { ...ONE_OF_EACH, expiries: 0, forgets: 0 }],
  [
    'an order behind a record that cannot be read',
    [POISON, 'a'],
    { ...ONE_OF_EACH, expiries: 0, forgets: 0 },
  ],
  ['two orders', ['a', 'b'], { crashes: 0, expiries: 0, lostAnswers: 1, forgets: 0 }],
];
const LONG_CASES: Case[] = [
  ['one order', ['a'], ONE_OF_EACH],
  ['one order, twice in the topic, two lost answers', ['a', 'a'], { ...ONE_OF_EACH, lostAnswers: 2 }],
  ['an order behind a record that cannot be read, asleep', [POISON, 'a'], { ...ONE_OF_EACH, forgets: 0 }],
  ['two orders, asleep', ['a', 'b'], { crashes: 0, expiries: 1, lostAnswers: 0, forgets: 0 }],
];

describe('nothing is lost, charged twice, sent under two ids or stuck', () => {
  test.each(process.env.ORDERCTL_TEST_LONG === undefined ? CASES : [...CASES, ...LONG_CASES])(
    '%s',
    (_name, created, budget) => {
      const { found, states, finalStates } = explore(begin(created, budget), RULES);
      expect(found).toBeNull();
      expect(states).toBeGreaterThan(5_000);
      expect(finalStates).toBeGreaterThan(0);
    },
    600_000,
  );
});

describe('without one of its rules the protocol fails', () => {
  const broken: Record<keyof Rules, [start: World, what: RegExp]> = {
    comparesPositions: [begin(['a'], ONE_OF_EACH), /counted 2 records up to position 1/],
    hasOutbox: [begin([POISON], ONE_OF_EACH), /lost without a dead letter/],
    idsFromCauses: [begin(['a'], ONE_OF_EACH), /sent under two ids/],
    deletesById: [begin(['a', POISON], { ...ONE_OF_EACH, crashes: 0 }), /lost without a dead letter/],
    knowsFacts: [begin(['a', 'a'], ONE_OF_EACH), /has a fact twice/],
    commitsBeforeCalls: [begin(['a'], ONE_OF_EACH), /charged 2 times/],
    looksUp: [begin(['a'], ONE_OF_EACH), /charged 2 times/],
    looksAtTheClock: [begin(['a'], ONE_OF_EACH), /charged 2 times/],
    answersOnce: [begin(['a'], ONE_OF_EACH), /has a fact twice: .*paid/],
    parksVisibly: [begin(['a'], { ...ONE_OF_EACH, lostAnswers: 2 }), /waits for nothing/],
    readsByRevision: [
      beginPaid(['a', 'b'], { crashes: 0, expiries: 1, lostAnswers: 0, forgets: 0 }),
      /revision 1 of 2/,
    ],
  };
  test.each(Object.entries(broken))(
    '%s',
    (rule, [start, what]) => {
      const { found } = explore(start, { ...RULES, [rule]: false });
      expect(found?.what).toMatch(what);
    },
    120_000,
  );
});
