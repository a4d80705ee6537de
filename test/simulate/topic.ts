import type { RecordFingerprint } from '../../src/ports/record.ts';
import type { Order } from '../../src/domain/orders/order.ts';
import type { Batch, BrokerRecord } from '../../src/ports/broker.ts';
import type { DecodedRecord, OrderCodec } from '../../src/ports/codec.ts';
import { randomFrom } from '../support/random.ts';

/** What the simulated topic holds: the oracle is fed with it too. */
export interface SimRecord extends BrokerRecord {
  /** null: a record that cannot be an order. */
  readonly order: Order | null;
}
export type SimTopic = readonly (readonly SimRecord[])[];

export const TOPIC = 'orders';
export const DLQ_TOPIC = 'orders.dlq';
export const PARTITIONS = 3;
/** Values above it are refused by the simulated broker, which never happens to an order. */
export const MAX_DEAD_LETTER_BYTES = 100;
export const ITEM_NAMES = ['book', 'pen', 'ink'] as const;
export const USER_NAMES = ['alice', 'bob', 'carol'] as const;
export const CLUSTER = 'cluster-1';

/** How many records of a partition are the same for every seed: those that prepared folders have read. */
export const SHARED_RECORDS = 8;
const OWN_RECORDS = 8;
const IDS = 40;

/** Few ids, so that many records are duplicates or conflicts; gaps, as compaction and control records leave them. */
export function makeTopic(seed: number): SimTopic {
  const shared = randomFrom(7);
  const own = randomFrom(seed);
  return Array.from({ length: PARTITIONS }, () => {
    const records: SimRecord[] = [];
    let offset = 0;
    for (let index = 0; index < SHARED_RECORDS + OWN_RECORDS; index++) {
      const next = index < SHARED_RECORDS ? shared : own;
      if (next() < 0.1) offset += 1 + Math.floor(next() * 3);
      const order = next() < 0.12 ? null : makeOrder(next);
      const value = Buffer.from(next() < 0.3 ? 'x'.repeat(MAX_DEAD_LETTER_BYTES + 1) : 'bytes');
      records.push({ offset, timestamp: 1_000 + offset, key: null, value, headers: [], order });
      offset += 1;
    }
    return records;
  });
}

function makeOrder(next: () => number): Order {
  const id = Math.floor(next() * IDS);
  // The content follows from the id, but for a conflict now and then.
  const of = randomFrom(id * 2 + (next() < 0.1 ? 1 : 0));
  const items = Array.from({ length: 1 + Math.floor(of() * 2) }, () => ({
    item: of() < 0.05 ? 'ghost' : (ITEM_NAMES[Math.floor(of() * ITEM_NAMES.length)] ?? 'book'),
    quantity: of() < 0.1 ? ([0, -1, 1.5][Math.floor(of() * 3)] ?? 0) : 1 + Math.floor(of() * 3),
    unitPrice: of() < 0.3 ? '12.50' : null,
  }));
  const user = of() < 0.05 ? 'nobody' : (USER_NAMES[Math.floor(of() * USER_NAMES.length)] ?? 'alice');
  return { orderId: `ORD-${id}`, user, items, createdAt: 1_700_000_000_000 + id };
}

export function endOf(topic: SimTopic, partition: number): number {
  return (topic[partition]?.at(-1)?.offset ?? -1) + 1;
}

/** A fetch of up to `count` records from `from` on. */
export function batchOf(topic: SimTopic, partition: number, from: number, count: number): Batch {
  const all = topic[partition] ?? [];
  const first = all.findIndex(({ offset }) => offset >= from);
  const records = first === -1 ? [] : all.slice(first, first + count);
  const end = endOf(topic, partition);
  return {
    topic: TOPIC,
    partition,
    records,
    next: Math.max(from, (records.at(-1)?.offset ?? end - 1) + 1),
    highWatermark: end,
    clusterId: CLUSTER,
    fingerprint: (index) => {
      const record = records[index];
      if (record === undefined) throw new RangeError(`no record ${index}`);
      return simFingerprint(record);
    },
  };
}

export function simFingerprint({ offset, timestamp }: SimRecord): RecordFingerprint {
  return { offset, timestamp, crc: offset * 7 };
}

/** Bytes are the matter of the fuzzer: here a record says itself what it holds. */
export const knowingCodec: OrderCodec = {
  decode: async (records) =>
    (records as readonly SimRecord[]).map(({ order }): DecodedRecord => {
      if (order !== null) return { kind: 'message', value: order };
      return { kind: 'dead_letter', code: 'undecodable', stage: 'decode', message: 'no order' };
    }),
  encode: async () => {
    throw new Error('nothing is encoded here');
  },
};
