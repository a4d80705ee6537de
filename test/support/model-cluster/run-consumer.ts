import { createConsumer } from '../../../src/adapters/kafka/consume/consumer.ts';
import type { Batch, ConsumerEvent, RunOptions } from '../../../src/ports/broker.ts';
import type { Position } from '../../../src/ports/store.ts';
import type { ModelCluster } from './cluster.ts';

export interface Delivered {
  readonly offset: number;
  readonly value: string;
}

export interface ModelRun {
  /** In the order of delivery, by index of the partition. */
  readonly delivered: ReadonlyMap<number, Delivered[]>;
  readonly positions: Map<number, Position>;
  readonly events: ConsumerEvent[];
  readonly clusterIds: Set<string>;
  /** Rejects with the failure of the run. */
  readonly done: Promise<void>;
  stop(): Promise<void>;
}

export interface ModelRunOptions {
  readonly positions?: Map<number, Position>;
  readonly stallTimeoutMs?: number;
  readonly onStart?: RunOptions['onStart'];
  /** Called before a batch is stored. @returns the offset at which to continue, if not at the batch's end */
  readonly onBatch?: (batch: Batch) => Promise<number | undefined> | number | undefined;
}

/** Runs the consumer of the kafka adapter on a model, with a handler that stores positions as the application does. */
export function runConsumer(cluster: ModelCluster, options: ModelRunOptions = {}): ModelRun {
  const { positions = new Map<number, Position>(), stallTimeoutMs = null } = options;
  const delivered = new Map<number, Delivered[]>();
  const events: ConsumerEvent[] = [];
  const clusterIds = new Set<string>();
  const stopping = new AbortController();
  const consumer = createConsumer({ brokers: cluster.addresses, clientId: 'c', tls: null, sasl: null });
  const onBatch = async (batch: Batch): Promise<number> => {
    const { topic, records, next, clusterId } = batch;
    const partition = cluster.model.indexOf(batch);
    const elsewhere = await options.onBatch?.(batch);
    clusterIds.add(clusterId);
    const before = positions.get(partition);
    // A batch from before a move of the position, which starts elsewhere, is not stored.
    const isWanted = before === undefined || (records[0]?.offset ?? next) >= before.next;
    const taken = delivered.get(partition) ?? [];
    delivered.set(partition, taken);
    for (const { offset, value } of isWanted ? records : []) {
      taken.push({ offset, value: Buffer.from(value ?? []).toString() });
    }
    const goOn = elsewhere ?? (isWanted ? next : before.next);
    const lastIndex = isWanted ? records.findLastIndex(({ offset }) => offset < goOn) : -1;
    const last = lastIndex < 0 ? (before?.last ?? null) : batch.fingerprint(lastIndex);
    positions.set(partition, { topic, partition: batch.partition, next: goOn, last, clusterId });
    return goOn;
  };
  const done = consumer
    .run(
      {
        topics: cluster.model.topics,
        group: 'g',
        storeId: 's',
        mode: 'exclusive',
        clientId: 'c',
        metadata: 'mark',
        positions: () => positions.values(),
        ...(options.onStart === undefined ? {} : { onStart: options.onStart }),
        onEvent: (event) => events.push(event),
        stallTimeoutMs,
        signal: stopping.signal,
      },
      onBatch,
    )
    .finally(() => consumer[Symbol.asyncDispose]());
  done.catch(() => undefined);
  return {
    delivered,
    positions,
    events,
    clusterIds,
    done,
    stop: async () => {
      stopping.abort();
      await done;
    },
  };
}
