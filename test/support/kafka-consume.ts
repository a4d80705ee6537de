import type { Batch, Broker, BrokerRecord, ConsumerEvent, RunOptions } from '../../src/ports/broker.ts';
import type { Position } from '../../src/ports/store.ts';

export interface Seen {
  /** In order of arrival. */
  readonly records: { partition: number; offset: number; key: string | null; value: string | null }[];
  readonly batches: Batch[];
  readonly events: ConsumerEvent[];
  /** What a store would hold: the offset after the batch and the last record's fingerprint. */
  readonly positions: Map<number, Position>;
}

export interface ConsumeOptions extends Partial<Omit<RunOptions, 'positions' | 'topics'>> {
  readonly topic: string;
  readonly group: string;
  readonly positions?: () => ReadonlyMap<number, Position>;
  /** Initial positions. */
  readonly from?: ReadonlyMap<number, Position>;
  /** Called after each batch: true stops the consumer. */
  readonly until?: (seen: Seen) => boolean;
  /** Where to continue instead of after the batch. */
  readonly onBatch?: (batch: Batch, seen: Seen) => Promise<number> | number;
}

export const text = (bytes: Uint8Array | null) =>
  bytes === null ? null : Buffer.from(bytes).toString('utf8');

/** A running consumer, with what it has seen so far. */
export interface Running {
  readonly seen: Seen;
  /** Settles when the run has ended. */
  readonly done: Promise<void>;
  stop(): void;
  /** Drops the connections without leaving the group, as a kill does. */
  vanish(): Promise<void>;
}

/** Runs a consumer that stores its positions as the store would. */
export async function consume(broker: Broker, options: ConsumeOptions): Promise<Running> {
  const consumer = await broker.consumer();
  const stop = new AbortController();
  const seen: Seen = { records: [], batches: [], events: [], positions: new Map(options.from ?? []) };
  const check = () => {
    if (options.until?.(seen) === true) stop.abort();
  };
  const run = consumer.run(
    {
      clientId: 'folder-under-test',
      storeId: options.clientId ?? 'folder-under-test',
      mode: 'exclusive',
      metadata: 'mark',
      stallTimeoutMs: 20_000,
      onStart: async (starts) => {
        for (const { topic, partition, offset: next } of starts)
          seen.positions.set(partition, { topic, partition, next, last: null, clusterId: null });
      },
      ...options,
      topics: [options.topic],
      positions: () => (options.positions?.() ?? seen.positions).values(),
      signal: options.signal ?? stop.signal,
      onEvent: (event) => {
        seen.events.push(event);
        options.onEvent?.(event);
      },
    },
    async (batch) => {
      const next = (await options.onBatch?.(batch, seen)) ?? batch.next;
      seen.batches.push(batch);
      const read = batch.records.filter((record) => record.offset < next);
      for (const record of read) seen.records.push(plain(batch.partition, record));
      seen.positions.set(batch.partition, positionAfter(batch, read.length, next, seen));
      check();
      return next;
    },
  );
  const done = run.finally(() => consumer[Symbol.asyncDispose]());
  done.catch(() => undefined);
  return {
    seen,
    done,
    stop: () => {
      stop.abort();
    },
    vanish: async () => {
      await consumer[Symbol.asyncDispose]();
      await done.catch(() => undefined);
    },
  };
}

/** Runs until `until` holds, and returns what was seen. Rejects if the run does. */
export async function consumed(broker: Broker, options: ConsumeOptions): Promise<Seen> {
  const running = await consume(broker, options);
  await running.done;
  return running.seen;
}

function positionAfter(batch: Batch, read: number, next: number, seen: Seen): Position {
  const { topic, partition, clusterId } = batch;
  const before = seen.positions.get(partition)?.last ?? null;
  return { topic, partition, clusterId, next, last: read > 0 ? batch.fingerprint(read - 1) : before };
}

function plain(partition: number, record: BrokerRecord): Seen['records'][number] {
  return { partition, offset: record.offset, key: text(record.key), value: text(record.value) };
}

/** Values of one partition, in order. */
export function valuesOf(seen: Seen, partition = 0): (string | null)[] {
  return seen.records.filter((record) => record.partition === partition).map((record) => record.value);
}
