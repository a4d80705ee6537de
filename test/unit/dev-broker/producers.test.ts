import { describe, expect, it } from 'vitest';

import { ProducerStates } from '../../../src/dev-broker/log/producers.ts';
import { readBatchHeader } from '../../../src/dev-broker/wire/record-batch.ts';
import { recordBatch } from '../../support/record-batches.ts';

interface Sent {
  readonly epoch?: number;
  readonly sequence: number;
  readonly count?: number;
  readonly transactional?: boolean;
  readonly producerId?: number;
}

function header({ epoch = 0, sequence, count = 1, transactional = false, producerId = 7 }: Sent) {
  const values = Array<string>(count).fill('x');
  return readBatchHeader(recordBatch({ values, producerId, epoch, sequence, transactional }));
}

/** A partition's producers, with the offsets counted as its log would. */
function partition() {
  const states = new ProducerStates();
  let offset = 0;
  return {
    states,
    send: (sent: Sent): number => {
      const batch = header(sent);
      const repeated = states.check(batch);
      if (repeated !== undefined) return repeated;
      const baseOffset = offset;
      states.append(batch, baseOffset, 0);
      offset += batch.count;
      return baseOffset;
    },
    end: (epoch: number, committed: boolean, producerId = 7) => {
      states.checkEnd(producerId, epoch);
      offset += 1;
      return states.end(producerId, epoch, committed, offset - 1, 0);
    },
  };
}

describe('sequences of a producer', () => {
  it('recognises each of its last five batches when they are repeated', () => {
    const { send } = partition();
    const sent = [0, 3, 6, 9, 12].map((sequence) => ({ sequence, count: 3 }));
    const offsets = sent.map(send);
    expect(offsets).toEqual([0, 3, 6, 9, 12]);
    expect(sent.map(send)).toEqual(offsets);
    expect(send({ sequence: 15 })).toBe(15);
    // The oldest is forgotten now.
    expect(() => send({ sequence: 0, count: 3 })).toThrow(expect.objectContaining({ code: 45 }));
    expect(send({ sequence: 3, count: 3 })).toBe(3);
  });

  it('refuses a gap, and what overlaps', () => {
    const { send } = partition();
    send({ sequence: 0, count: 5 });
    for (const sequence of [6, 4, 0, 2 ** 31 - 1]) {
      expect(() => send({ sequence, count: 2 })).toThrow(expect.objectContaining({ code: 45 }));
    }
    expect(send({ sequence: 5 })).toBe(5);
  });

  it('goes on from 0 behind the highest number', () => {
    const { send } = partition();
    // Nothing is known of it, so any beginning is taken: its older batches may have been deleted.
    send({ sequence: 2 ** 31 - 3, count: 4 });
    expect(send({ sequence: 1 })).toBe(4);
    expect(send({ sequence: 2 ** 31 - 3, count: 4 })).toBe(0);
  });

  it('begins again with another epoch, which fences the one before', () => {
    const { send } = partition();
    send({ sequence: 0, epoch: 1 });
    expect(() => send({ sequence: 1, epoch: 2 })).toThrow(expect.objectContaining({ code: 45 }));
    expect(send({ sequence: 0, epoch: 2 })).toBe(1);
    expect(() => send({ sequence: 1, epoch: 1 })).toThrow(expect.objectContaining({ code: 47 }));
  });

  it('does not mind producers that have no id', () => {
    const { send } = partition();
    expect([0, 0, 5].map((sequence) => send({ sequence, producerId: -1 }))).toEqual([0, 1, 2]);
  });
});

describe('transactions of a partition', () => {
  it('bound what is stable by the oldest that is open', () => {
    const { states, send, end } = partition();
    send({ sequence: 0, transactional: true, producerId: 1 });
    send({ sequence: 0, transactional: true, producerId: 2 });
    expect(states.firstOpenOffset).toBe(0);
    expect(end(0, true, 1)).toBeUndefined();
    expect(states.firstOpenOffset).toBe(1);
    expect(end(0, false, 2)).toEqual({ producerId: 2, firstOffset: 1, lastOffset: 3, lastStableOffset: 4 });
    expect(states.firstOpenOffset).toBeUndefined();
  });

  it('abort nothing where nothing was written', () => {
    const { end } = partition();
    expect(end(0, false)).toBeUndefined();
  });

  it('refuse batches outside of them, and ends by a producer that was fenced', () => {
    const { send, end } = partition();
    send({ sequence: 0, transactional: true, epoch: 3 });
    expect(() => send({ sequence: 1, epoch: 3 })).toThrow(expect.objectContaining({ code: 48 }));
    expect(() => end(2, true)).toThrow(expect.objectContaining({ code: 47 }));
    // A coordinator fences by ending with the next epoch.
    end(4, false);
    expect(() => send({ sequence: 1, transactional: true, epoch: 3 })).toThrow(
      expect.objectContaining({ code: 47 }),
    );
  });
});

describe('the memory of producers', () => {
  const day = 24 * 3_600_000;

  it('outlives the process', () => {
    const { states, send } = partition();
    send({ sequence: 0, count: 2, transactional: true });
    const again = new ProducerStates(JSON.parse(JSON.stringify(states.snapshot())) as never);
    expect(again.firstOpenOffset).toBe(0);
    expect(again.check(header({ sequence: 0, count: 2, transactional: true }))).toBe(0);
    expect(() => again.check(header({ sequence: 3, transactional: true }))).toThrow(
      expect.objectContaining({ code: 45 }),
    );
  });

  it('ends a day after the last batch, not while a transaction is open', () => {
    const { states, send } = partition();
    send({ sequence: 0, producerId: 1 });
    send({ sequence: 0, producerId: 2, transactional: true });
    states.expire(day);
    expect(states.active()).toHaveLength(2);
    states.expire(day + 1);
    expect(states.active().map(({ producerId }) => producerId)).toEqual([2]);
  });
});
