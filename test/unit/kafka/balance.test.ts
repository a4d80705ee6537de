import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  assignShares,
  decodeAssignment,
  encodeSubscription,
} from '../../../src/adapters/kafka/consume/assigner.ts';
import { balance, type Claim } from '../../../src/adapters/kafka/consume/balance.ts';
import type { TopicPartition } from '../../../src/ports/store.ts';

const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;
const allOf = (sizes: Record<string, number>): TopicPartition[] =>
  Object.entries(sizes).flatMap(([topic, count]) =>
    Array.from({ length: count }, (_, partition) => ({ topic, partition })),
  );
const namesIn = (shares: ReadonlyMap<string, readonly TopicPartition[]>): string[] =>
  [...shares.values()].flat().map(nameOf).sort();

/** Joins until nothing moves any more, as members do that give back what they are no longer assigned. */
function settle(members: readonly Claim[], partitions: readonly TopicPartition[]) {
  let claims = members;
  for (let joins = 1; ; joins += 1) {
    const shares = balance(claims, partitions);
    const next = claims.map((claim, index) => ({
      ...claim,
      owned: shares.get(claim.memberId) ?? [],
      generation: joins * 10 + index,
    }));
    const isStill = next.every(({ owned }, index) => owned.length === claims[index]?.owned.length);
    if (isStill && namesIn(shares).length === partitions.length) return { shares, joins };
    if (joins > 10) throw new Error('it does not settle');
    claims = next;
  }
}

const arbitrary = fc
  .record({ orders: fc.integer({ min: 0, max: 12 }), returns: fc.integer({ min: 0, max: 7 }) })
  .chain((sizes) => {
    const partitions = allOf(sizes);
    const claim = fc.record({
      // Of what there is, and of what there is no more.
      owned: fc.subarray([
        ...partitions,
        { topic: 'gone', partition: 0 },
        { topic: 'orders', partition: 99 },
      ]),
      generation: fc.integer({ min: -1, max: 3 }),
    });
    return fc.record({
      partitions: fc.constant(partitions),
      members: fc.array(claim, { minLength: 1, maxLength: 5 }).map((claims) =>
        claims.map((one, index): Claim => ({
          memberId: `m${index}`,
          topics: ['orders', 'returns', 'gone'],
          ...one,
        })),
      ),
    });
  });

describe('shares of a group', () => {
  it('are disjoint, and give nobody what another member still claims', () => {
    fc.assert(
      fc.property(arbitrary, ({ members, partitions }) => {
        const shares = balance(members, partitions);
        const names = namesIn(shares);
        expect(new Set(names).size).toBe(names.length);
        for (const [memberId, share] of shares) {
          for (const partition of share) {
            const claimants = members.filter(({ owned }) =>
              owned.some((one) => nameOf(one) === nameOf(partition)),
            );
            const latest = Math.max(...claimants.map(({ generation }) => generation));
            const holders = claimants.filter(({ generation }) => generation === latest);
            expect(claimants.length === 0 || holders.some((holder) => holder.memberId === memberId)).toBe(
              true,
            );
          }
        }
      }),
    );
  });

  it('are even after a few joins, and then stay as they are', () => {
    fc.assert(
      fc.property(arbitrary, ({ members, partitions }) => {
        const { shares, joins } = settle(members, partitions);
        expect(joins).toBeLessThan(5);
        expect(namesIn(shares)).toEqual(partitions.map(nameOf).sort());
        const sizes = [...shares.values()].map(({ length }) => length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('move no more than a new member takes', () => {
    const partitions = allOf({ orders: 6, returns: 3 });
    const member = (memberId: string, owned: readonly TopicPartition[]): Claim => ({
      memberId,
      topics: ['orders', 'returns'],
      owned,
      generation: 1,
    });
    const old = [member('a', partitions.slice(0, 5)), member('b', partitions.slice(5))];
    const first = balance([...old, member('c', [])], partitions);
    // Of nine, three each: two of one and one of the other are given back before they are assigned.
    expect([...first].map(([memberId, { length }]) => [memberId, length])).toEqual([
      ['a', 3],
      ['b', 3],
      ['c', 0],
    ]);
    for (const { memberId, owned } of old) {
      expect(owned.map(nameOf)).toEqual(expect.arrayContaining((first.get(memberId) ?? []).map(nameOf)));
    }
  });

  it('are of topics that the member reads', () => {
    const partitions = allOf({ orders: 2, returns: 4 });
    const shares = balance(
      [
        { memberId: 'a', topics: ['orders'], owned: allOf({ returns: 1 }), generation: 5 },
        { memberId: 'b', topics: ['orders', 'returns'], owned: [], generation: -1 },
      ],
      partitions,
    );
    expect(shares.get('a')?.map(nameOf)).toEqual(['orders/0', 'orders/1']);
    expect(shares.get('b')).toHaveLength(4);
  });

  it('go by what the members say when they join, and nothing where one says nothing', () => {
    const partitions = allOf({ orders: 4 });
    const about = { process: null, sessionTimeoutMs: 6_000 };
    const assigned = assignShares(
      [
        { memberId: 'a', memberMetadata: encodeSubscription(['orders'], about) },
        {
          memberId: 'b',
          memberMetadata: encodeSubscription(['orders'], about, {
            owned: partitions.slice(0, 2),
            generation: 3,
          }),
        },
        { memberId: 'c', memberMetadata: Buffer.from('garbage') },
      ],
      partitions,
    );
    expect(
      assigned.map(({ memberId, memberAssignment }) => [memberId, decodeAssignment(memberAssignment)]),
    ).toEqual([
      ['a', partitions.slice(2)],
      ['b', partitions.slice(0, 2)],
      ['c', []],
    ]);
  });
});
