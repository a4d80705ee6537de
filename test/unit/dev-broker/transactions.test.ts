import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import {
  MAX_TRANSACTION_TIMEOUT_MS,
  TransactionCoordinator,
} from '../../../src/dev-broker/transactions/coordinator.ts';
import {
  complete,
  fence,
  initialize,
  type ProducerIdentity,
  type TopicPartition,
  type Transaction,
} from '../../../src/dev-broker/transactions/transaction.ts';
import { ERROR } from '../../../src/dev-broker/wire/errors.ts';
import { waitFor } from '../../support/wait.ts';

const NEW: ProducerIdentity = { producerId: -1, epoch: -1 };
const at = (partition: number): TopicPartition => ({ topic: 'orders', partition });

/** Takes part in transactions and notes how they ended: `orders/0 5@1 commit`. */
class Noted {
  readonly ends: string[] = [];
  failing = false;

  endInPartition({ topic, partition }: TopicPartition, producer: ProducerIdentity, committed: boolean): void {
    if (this.failing) throw new Error('the disk is full');
    this.#note(`${topic}/${partition}`, producer, committed);
  }

  endInGroups(producer: ProducerIdentity, committed: boolean): void {
    this.#note('groups', producer, committed);
  }

  #note(what: string, { producerId, epoch }: ProducerIdentity, committed: boolean): void {
    this.ends.push(`${what} ${producerId}@${epoch} ${committed ? 'commit' : 'abort'}`);
  }
}

let folder = '';
let noted: Noted;
let coordinator: TransactionCoordinator;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'transactions-'));
  noted = new Noted();
  coordinator = new TransactionCoordinator(folder, noted);
});

afterEach(() => {
  coordinator.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What a kill -9 leaves is what is in the files by now. */
function restart(): void {
  coordinator.close();
  coordinator = new TransactionCoordinator(folder, noted);
}

function begun(id = 'tx', producer = NEW, timeoutMs = 60_000): ProducerIdentity {
  const answer = coordinator.initialize(id, producer, timeoutMs);
  expect(answer.error).toBe(ERROR.NONE);
  return { producerId: answer.producer.producerId, epoch: answer.producer.epoch };
}

function open(id = 'tx', timeoutMs = 60_000): ProducerIdentity {
  const producer = begun(id, NEW, timeoutMs);
  expect(coordinator.add(id, producer, { partitions: [at(0), at(1)] })).toBe(ERROR.NONE);
  return producer;
}

describe('a transaction', () => {
  it('is committed in every partition and group that it wrote to, and once', () => {
    const producer = open();
    expect(coordinator.add('tx', producer, { partitions: [at(1), at(2)], groups: ['g'] })).toBe(ERROR.NONE);
    expect(coordinator.end('tx', producer, true)).toBe(ERROR.NONE);
    const id = `${producer.producerId}@0`;
    const ends = [
      `orders/0 ${id} commit`,
      `orders/1 ${id} commit`,
      `orders/2 ${id} commit`,
      `groups ${id} commit`,
    ];
    expect(noted.ends).toEqual(ends);
    // Its answer may have been lost.
    expect(coordinator.end('tx', producer, true)).toBe(ERROR.NONE);
    expect(coordinator.end('tx', producer, false)).toBe(ERROR.INVALID_TXN_STATE);
    expect(noted.ends).toEqual(ends);
    expect(coordinator.get('tx')).toMatchObject({ state: 'CompleteCommit', partitions: [], groups: [] });
  });

  it('leaves the groups alone when it committed no offsets, and begins again with the next partition', () => {
    const producer = open();
    expect(coordinator.end('tx', producer, false)).toBe(ERROR.NONE);
    expect(coordinator.end('tx', producer, false)).toBe(ERROR.NONE);
    expect(coordinator.end('tx', producer, true)).toBe(ERROR.INVALID_TXN_STATE);
    expect(coordinator.add('tx', producer, { partitions: [at(1)] })).toBe(ERROR.NONE);
    expect(coordinator.end('tx', producer, true)).toBe(ERROR.NONE);
    expect(noted.ends.map((end) => end.replace(/ \d+@0/, ''))).toEqual([
      'orders/0 abort',
      'orders/1 abort',
      'orders/1 commit',
    ]);
  });

  it('is refused to who is not its producer, or not any more', () => {
    const producer = open();
    const other = { ...producer, producerId: producer.producerId + 1 };
    const late = { ...producer, epoch: producer.epoch - 1 };
    const ways = [
      (id: string, who: ProducerIdentity) => coordinator.add(id, who, { partitions: [at(0)] }),
      (id: string, who: ProducerIdentity) => coordinator.end(id, who, true),
    ];
    for (const way of ways) {
      expect(way('tx', other)).toBe(ERROR.INVALID_PRODUCER_ID_MAPPING);
      expect(way('none', producer)).toBe(ERROR.INVALID_PRODUCER_ID_MAPPING);
      expect(way('tx', late)).toBe(ERROR.PRODUCER_FENCED);
      expect(way('', producer)).toBe(ERROR.INVALID_REQUEST);
    }
    const idle = begun('idle');
    expect(coordinator.end('idle', idle, true)).toBe(ERROR.INVALID_TXN_STATE);
  });

  it('takes writes of its producer to what was added to it, while it is open', () => {
    const producer = open();
    const check = (who: ProducerIdentity, to: TopicPartition | { group: string }) =>
      coordinator.checkWrite('tx', who, to);
    expect(check(producer, at(1))).toBe(ERROR.NONE);
    expect(check(producer, at(2))).toBe(ERROR.INVALID_TXN_STATE);
    expect(check(producer, { group: 'g' })).toBe(ERROR.INVALID_TXN_STATE);
    coordinator.add('tx', producer, { groups: ['g'] });
    expect(check(producer, { group: 'g' })).toBe(ERROR.NONE);
    expect(check({ ...producer, epoch: 7 }, at(1))).toBe(ERROR.INVALID_PRODUCER_EPOCH);
    expect(coordinator.checkWrite('none', producer, at(1))).toBe(ERROR.INVALID_PRODUCER_ID_MAPPING);
    coordinator.end('tx', producer, true);
    expect(check(producer, at(1))).toBe(ERROR.INVALID_TXN_STATE);
  });
});

describe('a producer that begins', () => {
  it('fences the one before it, whose transaction is aborted with an epoch between theirs', () => {
    const first = open();
    const second = begun();
    expect(second).toEqual({ producerId: first.producerId, epoch: first.epoch + 2 });
    expect(noted.ends).toEqual([0, 1].map((index) => `orders/${index} ${first.producerId}@1 abort`));
    expect(coordinator.end('tx', first, true)).toBe(ERROR.PRODUCER_FENCED);
    expect(coordinator.initialize('tx', first, 60_000).error).toBe(ERROR.PRODUCER_FENCED);
  });

  it('goes on after an error with the epoch after its own, also when that answer was lost', () => {
    const first = begun();
    const next = begun('tx', first);
    expect(next).toEqual({ ...first, epoch: first.epoch + 1 });
    expect(begun('tx', first)).toEqual(next);
    // A new one takes over, and there is no way back.
    begun();
    expect(coordinator.initialize('tx', next, 60_000)).toEqual({
      error: ERROR.PRODUCER_FENCED,
      producer: NEW,
    });
    expect(coordinator.initialize('tx', { producerId: 999, epoch: 0 }, 60_000).error).toBe(
      ERROR.PRODUCER_FENCED,
    );
  });

  it('gets another producer id when the epochs of the first run out', () => {
    const used: Transaction = {
      producerId: 5,
      epoch: 32_766,
      lastEpoch: 32_765,
      lastProducerId: -1,
      timeoutMs: 1_000,
      state: 'Empty',
      partitions: [],
      groups: [],
      startedAt: -1,
    };
    const next = (current: Transaction, producer: ProducerIdentity) => {
      const step = initialize(current, producer, 1_000, () => 9);
      return step.kind === 'becomes' ? step.next : step;
    };
    const last = next({ ...used, epoch: 32_765 }, NEW);
    expect(last).toMatchObject({ producerId: 5, epoch: 32_766 });
    const fresh = { producerId: 9, epoch: 0, lastProducerId: 5 };
    expect(next(used, NEW)).toMatchObject(fresh);
    expect(next(used, { producerId: 5, epoch: 32_766 })).toMatchObject({ ...fresh, lastEpoch: 32_766 });
    // Fenced by the epoch that is kept for that.
    const open: Transaction = { ...used, state: 'Ongoing', startedAt: 0 };
    expect(next(open, NEW)).toMatchObject({ state: 'PrepareAbort', epoch: 32_767 });
    expect(next(complete(fence(open)), NEW)).toMatchObject(fresh);
    // The answer was lost: the producer asks by its old id.
    const begun: Transaction = { ...used, producerId: 9, epoch: 0, lastEpoch: 32_766, lastProducerId: 5 };
    expect(next(begun, { producerId: 5, epoch: 32_766 })).toMatchObject({ producerId: 9, epoch: 0 });
    expect(next(begun, { producerId: 5, epoch: 3 })).toEqual({
      kind: 'refused',
      error: ERROR.PRODUCER_FENCED,
    });
  });

  it('names a timeout that there can be', () => {
    for (const timeoutMs of [0, -1, MAX_TRANSACTION_TIMEOUT_MS + 1]) {
      expect(coordinator.initialize('tx', NEW, timeoutMs).error).toBe(ERROR.INVALID_TRANSACTION_TIMEOUT);
    }
    expect(coordinator.initialize('', NEW, 1_000).error).toBe(ERROR.INVALID_REQUEST);
  });

  it('gets an id that nobody had before, also after a restart', () => {
    const ids = new Set<number>();
    for (let round = 0; round < 3; round += 1) {
      for (let index = 0; index < 1_500; index += 1) ids.add(coordinator.newProducerId());
      restart();
    }
    expect(ids.size).toBe(4_500);
  });
});

describe('time', () => {
  it('aborts a transaction that its producer leaves open, and fences the producer', async () => {
    const producer = open('tx', 50);
    await waitFor('the abort', () => noted.ends.length === 2);
    expect(noted.ends[0]).toBe(`orders/0 ${producer.producerId}@${producer.epoch + 1} abort`);
    expect(coordinator.end('tx', producer, true)).toBe(ERROR.PRODUCER_FENCED);
  });

  it('counts on over a restart', async () => {
    open('tx', 50);
    restart();
    await waitFor('the abort', () => noted.ends.length === 2);
  });
});

describe('after a crash', () => {
  it('an open transaction is still open, and can be committed', () => {
    const producer = open();
    restart();
    expect(noted.ends).toEqual([]);
    expect(coordinator.end('tx', producer, true)).toBe(ERROR.NONE);
    expect(noted.ends).toHaveLength(2);
  });

  it('one whose outcome was decided is ended as it was decided', () => {
    const producer = open();
    noted.failing = true;
    expect(() => coordinator.end('tx', producer, true)).toThrow('the disk is full');
    noted.failing = false;
    restart();
    expect(noted.ends).toEqual([0, 1].map((index) => `orders/${index} ${producer.producerId}@0 commit`));
    expect(coordinator.end('tx', producer, true)).toBe(ERROR.NONE);
  });

  it('one whose outcome did not reach all reaches them with the next request or by itself', async () => {
    const producer = open();
    noted.failing = true;
    expect(() => coordinator.end('tx', producer, true)).toThrow('the disk is full');
    expect(() => coordinator.end('tx', producer, false)).toThrow('the disk is full');
    noted.failing = false;
    expect(coordinator.end('tx', producer, false)).toBe(ERROR.INVALID_TXN_STATE);
    expect(noted.ends).toHaveLength(2);
    const other = open('other');
    noted.failing = true;
    expect(() => coordinator.end('other', other, false)).toThrow('the disk is full');
    noted.failing = false;
    await waitFor('the abort', () => noted.ends.length === 4);
    expect(coordinator.get('other')?.state).toBe('CompleteAbort');
  });
});
