import { expect, it } from 'vitest';
import { RecentFacts } from '../../../src/adapters/files/ids/recent-facts.ts';
import type { Fact } from '../../../src/domain/facts.ts';

/* The facts of keys that were asked for lately, beside a log that has them all. */

const LOG = 3;

function logAndRecent(keptKeys: number) {
  const log = new Map<string, Fact[]>();
  const recent = new RecentFacts(keptKeys);
  let reads = 0;
  return {
    append(key: string, ...facts: readonly Fact[]): void {
      log.set(key, [...(log.get(key) ?? []), ...facts]);
      recent.add(LOG, { keys: facts.map(() => key), facts });
    },
    of: (key: string) =>
      recent.of(LOG, key, () => {
        reads += 1;
        return log.get(key) ?? [];
      }),
    logged: (key: string) => log.get(key) ?? [],
    reads: () => reads,
  };
}

it('is asked of the log once while the key is recent, and has what was appended since', () => {
  const facts = logAndRecent(10);
  facts.append('a', { n: 1 });
  expect(facts.of('a')).toEqual([{ n: 1 }]);
  expect(facts.of('b')).toEqual([]);
  const before = facts.of('a');
  facts.append('a', { n: 2 }, { n: 3 });
  facts.append('b', { n: 4 });
  expect(facts.of('a')).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  expect(facts.of('b')).toEqual([{ n: 4 }]);
  expect(before).toEqual([{ n: 1 }]);
  expect(facts.reads()).toBe(2);
});

it('agrees with the log however many keys there are, of which it keeps few', () => {
  const facts = logAndRecent(3);
  let seed = 1;
  for (let step = 0; step < 2_000; step++) {
    seed = (seed * 48_271) % 2_147_483_647;
    const key = `k${seed % 11}`;
    if (step % 3 === 0) facts.append(key, { step });
    else expect(facts.of(key)).toEqual(facts.logged(key));
  }
  expect(facts.reads()).toBeGreaterThan(11);
});
