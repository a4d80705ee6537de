import { describe, expect, it } from 'vitest';

import { Ownership, type OwnershipOptions } from '../../../src/adapters/kafka/consume/ownership.ts';
import type { TopicPartition } from '../../../src/ports/store.ts';
import { waitFor } from '../../support/wait.ts';

const P: TopicPartition = { topic: 'orders', partition: 0 };

/** What the application hears and what is read, in order. */
function opened(change: Partial<OwnershipOptions> = {}) {
  const seen: string[] = [];
  const named = (what: string, all: readonly TopicPartition[]): void => {
    seen.push([what, ...all.map(({ partition }) => partition)].join(' '));
  };
  const ownership = new Ownership({
    signal: new AbortController().signal,
    onStop: () => undefined,
    released: () => Promise.resolve(),
    committed: () => Promise.resolve(),
    onAssigned: async (partitions) => {
      named('assigned', partitions);
    },
    onRevoked: async (partitions) => {
      named('revoked', partitions);
    },
    onReady: (partitions) => {
      named('read', partitions);
    },
    onGivenBack: () => undefined,
    onFailed: (error) => seen.push(String(error)),
    ...change,
  });
  return { ownership, seen, named };
}

/** A database that answers late, the first time that it is asked. */
function slow() {
  let answer: () => void = () => undefined;
  const answered = new Promise<void>((resolve) => (answer = resolve));
  return { answered, answer };
}

describe('a partition that comes back while the application still takes it over', () => {
  it('is read when it was taken over again, and not before', async () => {
    const { answered, answer } = slow();
    const { ownership, seen, named } = opened({
      onAssigned: async (partitions) => {
        named('assigned', partitions);
        if (seen.length === 1) await answered;
      },
    });
    ownership.joined([P]);
    await waitFor('the call', () => seen.length === 1);
    // The process was paused: another member had it meanwhile, and has read on.
    ownership.expired();
    ownership.joined([P]);
    answer();
    await waitFor('the end of it', () => seen.length === 5);
    expect(seen).toEqual(['assigned 0', 'read', 'revoked 0', 'assigned 0', 'read 0']);
  });

  it('stays claimed though an earlier loss of it is not yet over', async () => {
    const { answered, answer } = slow();
    let releases = 0;
    const { ownership, seen } = opened({
      released: async (partitions) => {
        if (partitions.length > 0 && (releases += 1) === 1) await answered;
      },
    });
    ownership.joined([P]);
    await waitFor('the first', () => seen.includes('read 0'));
    ownership.joined([]);
    await waitFor('the batch in hand', () => releases === 1);
    ownership.expired();
    ownership.joined([P]);
    answer();
    await waitFor('the end of it', () => seen.length === 6);
    expect(seen).toEqual(['assigned 0', 'read 0', 'revoked 0', 'read', 'assigned 0', 'read 0']);
    expect(ownership.has(P)).toBe(true);
  });
});
