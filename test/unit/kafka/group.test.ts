import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';

import { assignAll, decodeAssignment } from '../../../src/adapters/kafka/consume/assigner.ts';
import { CommitQueue } from '../../../src/adapters/kafka/consume/commit-queue.ts';
import { createErrorFromCode, type BrokerNode } from '../../../src/adapters/kafka/protocol/kafkajs.ts';
import type { Member } from '../../../src/adapters/kafka/consume/membership.ts';
import type { Owed } from '../../../src/adapters/kafka/consume/slots.ts';
import { Watch } from '../../../src/adapters/kafka/consume/watch.ts';
import type { Failure } from '../../../src/domain/failure.ts';
import type { ConsumerEvent } from '../../../src/ports/broker.ts';
import { waitFor } from '../../support/wait.ts';

describe('assigner', () => {
  const partitions = [
    ...[0, 1, 2].map((partition) => ({ topic: 'orders', partition })),
    { topic: 'returns', partition: 0 },
  ];

  it('gives everything to the leader and nothing to the others', () => {
    const members = ['a', 'b', 'c'].map((memberId) => ({ memberId, memberMetadata: Buffer.alloc(0) }));
    const assignment = assignAll('b', members, partitions);
    const decoded = assignment.map(({ memberId, memberAssignment }) => [
      memberId,
      decodeAssignment(memberAssignment),
    ]);
    expect(decoded).toEqual([
      ['a', []],
      ['b', partitions],
      ['c', []],
    ]);
  });

  it('reads an empty assignment', () => {
    expect(decodeAssignment(Buffer.alloc(0))).toEqual([]);
  });
});

describe('commit queue', () => {
  type Commit = Parameters<BrokerNode['offsetCommit']>[0];
  /** A coordinator that answers when the test lets it. */
  function scripted() {
    const commits: Commit[] = [];
    const waiting: { resolve: (value: unknown) => void; reject: (error: Error) => void }[] = [];
    const events: ConsumerEvent[] = [];
    let rejoins = 0;
    let member: Member | undefined;
    const node = {
      offsetCommit: (commit: Commit) => {
        commits.push(commit);
        return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
      },
    } as unknown as BrokerNode;
    member = { generationId: 3, memberId: 'm' };
    let lost = 0;
    const gone = new Set<number>();
    const queue = new CommitQueue({
      group: 'g',
      metadata: 'mark',
      isOurs: ({ partition }) => !gone.has(partition),
      membership: {
        get member() {
          return member;
        },
        node: () => Promise.resolve(node),
        lose: () => (lost += 1),
        rejoin: () => (rejoins += 1),
      },
      onEvent: (event) => events.push(event),
    });
    return {
      queue,
      gone,
      commits,
      events,
      rejoins: () => rejoins,
      lost: () => lost,
      leave: () => (member = undefined),
      join: () => (member = { generationId: 4, memberId: 'm' }),
      answer: async (error?: Error) => {
        const next = await waitFor('a commit', () => waiting.shift());
        if (error === undefined) next?.resolve(null);
        else next?.reject(error);
      },
    };
  }
  const of = (partition: number) => ({ topic: 'orders', partition });
  const offsets = (commit: Commit | undefined) =>
    commit?.topics[0]?.partitions.map(({ partition, offset }) => [partition, offset]);

  it('has one commit under way and keeps the newest of each partition', async () => {
    const { queue, commits, answer } = scripted();
    queue.add(of(0), 1);
    await waitFor('the first commit', () => commits.length === 1);
    for (let offset = 2; offset <= 50; offset += 1) queue.add(of(offset % 2), offset);
    expect(commits).toHaveLength(1);
    await answer();
    await waitFor('the second commit', () => commits.length === 2);
    expect(offsets(commits[1])).toEqual([
      [0, 50],
      [1, 49],
    ]);
    expect(commits[1]?.topics[0]?.partitions[0]?.metadata).toBe('mark');
    await answer();
    await queue.flush();
    expect(commits).toHaveLength(2);
  });

  it('commits the partitions of several topics in one request', async () => {
    const { queue, commits, answer } = scripted();
    queue.add(of(0), 1);
    queue.add({ topic: 'returns', partition: 0 }, 7);
    queue.add(of(1), 2);
    await answer();
    expect(commits[0]?.topics).toEqual([
      {
        topic: 'orders',
        partitions: [
          expect.objectContaining({ partition: 0, offset: 1 }),
          expect.objectContaining({ partition: 1, offset: 2 }),
        ],
      },
      { topic: 'returns', partitions: [expect.objectContaining({ partition: 0, offset: 7 })] },
    ]);
    await queue.flush();
  });

  it('commits nothing of a partition that is no longer ours, whatever waits', async () => {
    const { queue, commits, answer, gone } = scripted();
    queue.add(of(0), 1);
    await waitFor('the first commit', () => commits.length === 1);
    queue.add(of(0), 2);
    queue.add(of(1), 7);
    gone.add(0);
    await answer(createErrorFromCode(27));
    await answer();
    expect(commits.slice(1).map(offsets)).toEqual([[[1, 7]]]);
    gone.add(1);
    queue.add(of(1), 8);
    await queue.flush();
    expect(commits).toHaveLength(2);
  });

  it('commits a position that went back', async () => {
    const { queue, commits, answer } = scripted();
    queue.add(of(0), 9);
    await answer();
    await waitFor('the first commit', () => commits.length === 1);
    queue.add(of(0), 2);
    await answer();
    expect(offsets(commits[1])).toEqual([[0, 2]]);
  });

  it('tells of a failure, and tries again with the next', async () => {
    const { queue, commits, events, answer } = scripted();
    queue.add(of(0), 1);
    queue.add(of(1), 1);
    await waitFor('the first commit', () => commits.length === 1);
    queue.add(of(1), 2);
    await answer(createErrorFromCode(28));
    await waitFor('the event', () => events.length === 1);
    expect(events[0]).toMatchObject({ kind: 'commit_failed' });
    queue.kick();
    await answer();
    expect(offsets(commits[1])).toEqual([
      [1, 2],
      [0, 1],
    ]);
  });

  it('goes on as the same member when the coordinator is away, ever more slowly, and reports it once', async () => {
    const { queue, commits, events, answer, rejoins, lost } = scripted();
    const sentAt: number[] = [];
    queue.add(of(0), 1);
    for (let times = 0; times < 3; times += 1) {
      await waitFor('a commit', () => commits.length === times + 1, Boolean, { everyMs: 5 });
      sentAt.push(performance.now());
      await answer(Object.assign(new Error('gone'), { name: 'KafkaJSConnectionError' }));
    }
    await waitFor('the last commit', () => commits.length === 4);
    await answer();
    expect(rejoins()).toBe(0);
    expect(lost()).toBe(3);
    expect(events).toHaveLength(1);
    const [first = 0, second = 0, third = 0] = sentAt;
    expect(second - first).toBeGreaterThan(400);
    expect(third - second).toBeGreaterThan(second - first);
    expect(offsets(commits[3])).toEqual([[0, 1]]);
  });

  it('asks for another membership when this one is refused', async () => {
    const { queue, answer, rejoins, commits } = scripted();
    queue.add(of(0), 1);
    await waitFor('the commit', () => commits.length === 1);
    await answer(createErrorFromCode(25));
    await waitFor('the rejoin', () => rejoins() === 1);
  });

  it('waits out a rebalance without a word, and commits in the next generation', async () => {
    const { queue, commits, events, answer, leave, join, rejoins } = scripted();
    queue.add(of(0), 1);
    await answer(createErrorFromCode(27));
    leave();
    queue.add(of(0), 2);
    await queue.flush();
    expect(events).toEqual([]);
    expect(rejoins()).toBe(0);
    join();
    queue.kick();
    await answer();
    expect(commits.at(-1)?.groupGenerationId).toBe(4);
    expect(offsets(commits.at(-1))).toEqual([[0, 2]]);
  });

  it('settles when a join that was under way is over and the offset is committed, and not before', async () => {
    const { queue, commits, answer, leave, join } = scripted();
    const { signal } = new AbortController();
    leave();
    queue.add(of(0), 7);
    let isSettled = false;
    const settled = queue.settled([of(0)], signal).then(() => (isSettled = true));
    await queue.settled([of(1)], signal);
    join();
    queue.kick();
    await waitFor('the commit', () => commits.length === 1);
    await sleep(60);
    expect(isSettled).toBe(false);
    await answer();
    await settled;
  });

  it('settles when the run ends, committed or not', async () => {
    const { queue, leave } = scripted();
    leave();
    queue.add(of(0), 7);
    await queue.settled([of(0)], AbortSignal.abort());
  });

  it('commits what is added in the very moment that a commit ends', async () => {
    // However many turns later: one of them lies between the last look at what waits and the end.
    for (let turns = 0; turns < 12; turns += 1) {
      const { queue, commits, answer } = scripted();
      queue.add(of(0), 1);
      await waitFor('the first commit', () => commits.length === 1);
      const answered = answer();
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      queue.add(of(0), 2);
      await answered;
      await waitFor(`the second commit, ${turns} turns later`, () => commits.length === 2, Boolean, {
        timeoutMs: 1_000,
        everyMs: 5,
      });
      await answer();
    }
  });

  it('does not sit out the pause between two commits when it is to end', async () => {
    const { queue, commits, answer } = scripted();
    const clock = vi.spyOn(performance, 'now').mockReturnValue(0);
    const timers = vi.spyOn(globalThis, 'setTimeout');
    try {
      queue.add(of(0), 1);
      await waitFor('the first commit', () => commits.length === 1);
      queue.add(of(0), 2);
      await answer();
      await waitFor('the pause', () => timers.mock.calls.some(([, ms]) => ms === 100), Boolean, {
        everyMs: 1,
      });
      expect(commits).toHaveLength(1);
      const flushed = queue.flush();
      // Turns of the loop, and no time to speak of.
      for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
      expect(commits).toHaveLength(2);
      await answer();
      await flushed;
    } finally {
      clock.mockRestore();
      timers.mockRestore();
    }
  });

  it('does not wait longer than two seconds to stop', async () => {
    const { queue } = scripted();
    queue.add(of(0), 1);
    await queue.flush();
  });
});

describe('watch', () => {
  const owedSince = (since: number): Owed[] => [
    { topic: 'orders', partition: 3, since, nodeId: 2 },
    { topic: 'orders', partition: 1, since, nodeId: null },
    { topic: 'returns', partition: 4, since, nodeId: null },
    { topic: 'orders', partition: 0, since, nodeId: 2 },
    // Asked a moment ago: all is well with it.
    { topic: 'orders', partition: 4, since: performance.now(), nodeId: 1 },
  ];

  it('reports after 30 s, again after 60, that it resumed, and gives up when asked to', async () => {
    const events: ConsumerEvent[] = [];
    const quiet: string[] = [];
    const isQuiet = ({ kind }: ConsumerEvent): boolean => ['silent', 'answered'].includes(kind);
    let stalled: Failure | undefined;
    let since: number | undefined = performance.now() - 30_500;
    const watch = new Watch({
      addresses: '127.0.0.1:9',
      stallTimeoutMs: 100_000,
      addressOf: (nodeId) => (nodeId === 2 ? '127.0.0.1:92' : undefined),
      owed: () => (since === undefined ? [] : owedSince(since)),
      heldBack: () => [],
      onEvent: (event) => (isQuiet(event) ? quiet.push(event.kind) : events.push(event)),
      onStalled: (failure) => (stalled = failure),
    });
    watch.start();
    try {
      await waitFor('the first word', () => events.length === 1);
      expect(events[0]).toMatchObject({
        kind: 'waiting',
        message:
          'no answer from 127.0.0.1:92 for partitions 0, 3 and no leader for partition 1 of topic orders, no leader for partition 4 of topic returns',
      });
      since = performance.now() - 60_500;
      await waitFor('the second word', () => events.length === 2);
      expect(quiet).toEqual(['silent']);
      since = undefined;
      await waitFor('the end of it', () => events.length === 3);
      expect(quiet).toEqual(['silent', 'answered']);
      // Long before there is a word about it, and not for a fetch that waits for records.
      since = performance.now() - 1_000;
      await waitFor('the silence', () => quiet.length === 3);
      expect([performance.now() - since, events.length]).toEqual([
        expect.toSatisfy((ms: number) => ms >= 2_000),
        3,
      ]);
      expect(events[2]).toEqual({ kind: 'resumed' });
      since = performance.now() - 100_500;
      await waitFor('the failure', () => stalled);
      expect(stalled).toMatchObject({ code: 'broker_unreachable' });
      expect(events).toHaveLength(3);
    } finally {
      watch.stop();
    }
  });
});
