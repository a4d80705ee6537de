import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Sources } from '../../../src/adapters/kafka/consume/sources.ts';
import { PartitionMap } from '../../../src/adapters/kafka/partition-map.ts';
import type { Position } from '../../../src/ports/store.ts';

let now: number;
beforeEach(() => {
  now = 1_000_000;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
});
afterEach(() => vi.restoreAllMocks());

function opened(...positions: Position[]) {
  const seen = { grown: 0, failures: [] as unknown[] };
  const sources = new Sources({
    topics: ['orders', 'returns'],
    addresses: 'a:1',
    positions: () => new PartitionMap(positions.map((position) => [position, position])),
    onGrown: () => (seen.grown += 1),
    onFailed: (error) => seen.failures.push(error),
  });
  const divided = [0, 1].flatMap((partition) => ['orders', 'returns'].map((topic) => ({ topic, partition })));
  sources.joined({ divided, others: ['stock'] });
  const saw = (
    orders: number[] | null,
    returns: number[] | null,
    clusterId = 'c',
    stock: number[] | null = null,
    madeAgain: string[] = [],
  ): void => {
    const all = [['orders', orders] as const, ['returns', returns] as const, ['stock', stock] as const];
    sources.saw(
      new Map(all.flatMap(([topic, read]) => (read === null ? [] : [[topic, read]]))),
      clusterId,
      new Set(madeAgain),
    );
  };
  return { seen, saw };
}

const at = (topic: string, partition: number): Position => ({
  topic,
  partition,
  next: 5,
  last: null,
  clusterId: 'c',
});

describe('the topics of a run', () => {
  it('may be gone for a moment, and are missing when they do not come back', () => {
    const { seen, saw } = opened();
    saw([0, 1], null);
    now += 9_000;
    saw([0, 1], null);
    expect(seen.failures).toEqual([]);
    saw([0, 1], [0, 1]);
    now += 2_000;
    saw(null, [0, 1]);
    now += 9_000;
    saw(null, [0, 1]);
    expect(seen.failures).toEqual([]);
    now += 1_000;
    saw(null, [0, 1]);
    expect(seen.failures).toMatchObject([{ code: 'topic_missing', context: { topic: 'orders' } }]);
  });

  it('lead to a join when one of them has grown', () => {
    const { seen, saw } = opened();
    saw([0, 1], [0, 1]);
    expect(seen.grown).toBe(0);
    saw([0, 1], [0, 1, 2]);
    expect(seen.grown).toBe(1);
    saw(null, [0, 1, 2]);
    expect(seen.grown).toBe(2);
    // Read by other members only: it was not there when the group was joined.
    saw([0, 1], [0, 1], 'c', [0]);
    expect(seen.grown).toBe(3);
  });

  it('are those that the positions are of', () => {
    const { saw } = opened(at('orders', 1), at('returns', 1), at('another', 7));
    saw([0, 1], [0, 1]);
    expect(() => saw([0, 1], [0])).toThrow(
      /returns\/1: was read up to offset 5, but the topic no longer has/,
    );
    expect(() => saw([0, 1], [0, 1], 'd')).toThrow(/orders\/1: .* on cluster c, but this is cluster d/);
  });

  it('are others once they were made again, where they were read', () => {
    const { saw } = opened(at('orders', 1), { ...at('returns', 1), next: 0 });
    saw([0, 1], [0, 1], 'c', null, ['returns']);
    expect(() => saw([0, 1], [0, 1], 'c', null, ['orders'])).toThrow(
      'orders/1: was read up to offset 5, and then the topic was deleted and recreated',
    );
  });
});
