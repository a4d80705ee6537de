import type { Batch, Broker, ConsumerEvent } from '../../src/ports/broker.ts';
import type { Position, TopicPartition } from '../../src/ports/store.ts';

const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

/** A store that the members of a group share: positions are compared inside the store, as a database does. */
export class SharedStore {
  readonly #positions = new Map<string, Position>();
  /** Values that were stored, by partition, in order. */
  readonly stored = new Map<string, string[]>();

  position(of: TopicPartition): Position | undefined {
    return this.#positions.get(nameOf(of));
  }

  /** @returns the position afterwards, and whether the batch was stored: not if another member was first */
  transact(batch: Batch, expected: number | null): { position: Position; isStored: boolean } {
    const before = this.position(batch);
    if (before !== undefined && before.next !== expected) return { position: before, isStored: false };
    const { topic, partition, records, next, clusterId } = batch;
    const wanted = records.filter(({ offset }) => offset >= (before?.next ?? 0));
    const values = this.stored.get(nameOf(batch)) ?? [];
    this.stored.set(nameOf(batch), [
      ...values,
      ...wanted.map(({ value }) => Buffer.from(value ?? []).toString()),
    ]);
    const last = wanted.length === 0 ? (before?.last ?? null) : batch.fingerprint(records.length - 1);
    const after = { topic, partition, next, last, clusterId };
    this.#positions.set(nameOf(batch), after);
    return { position: after, isStored: true };
  }

  get count(): number {
    return [...this.stored.values()].reduce((sum, { length }) => sum + length, 0);
  }
}

export interface SharedMember {
  /** Partitions that were assigned to it and not revoked or lost. */
  readonly owned: ReadonlySet<string>;
  /** Number of batches that were refused because another member had the partition. */
  readonly refused: () => number;
  readonly events: readonly ConsumerEvent[];
  readonly done: Promise<void>;
  stop(): Promise<void>;
  /** Drops the connections without leaving the group, as a kill does. */
  vanish(): Promise<void>;
}

export interface MemberOptions {
  readonly topics: readonly string[];
  readonly group: string;
  readonly clientId: string;
  readonly store: SharedStore;
  /** Default: shared-store. */
  readonly storeId?: string;
  /** Called before a batch is stored. */
  readonly onBatch?: (batch: Batch) => Promise<void> | void;
}

/** A group member that works on a shared store: it reads positions there when partitions are assigned. */
export async function joinShared(broker: Broker, options: MemberOptions): Promise<SharedMember> {
  const { topics, group, clientId, store, storeId = 'shared-store' } = options;
  const consumer = await broker.consumer();
  const stopping = new AbortController();
  const positions = new Map<string, Position>();
  const owned = new Set<string>();
  const events: ConsumerEvent[] = [];
  let refused = 0;
  const run = consumer.run(
    {
      topics,
      group,
      clientId,
      storeId,
      mode: 'shared',
      metadata: `mark of ${clientId}`,
      positions: () => positions.values(),
      onAssigned: async (partitions) => {
        for (const partition of partitions) {
          owned.add(nameOf(partition));
          const position = store.position(partition);
          if (position === undefined) positions.delete(nameOf(partition));
          else positions.set(nameOf(partition), position);
        }
      },
      onRevoked: async (partitions) => {
        for (const partition of partitions) owned.delete(nameOf(partition));
      },
      onEvent: (event) => void events.push(event),
      stallTimeoutMs: 20_000,
      signal: stopping.signal,
    },
    async (batch) => {
      await options.onBatch?.(batch);
      const expected = positions.get(nameOf(batch))?.next ?? null;
      const { position, isStored } = store.transact(batch, expected);
      if (!isStored) refused += 1;
      positions.set(nameOf(batch), position);
      return position.next;
    },
  );
  const done = run.finally(() => consumer[Symbol.asyncDispose]());
  done.catch(() => undefined);
  return {
    owned,
    refused: () => refused,
    events,
    done,
    stop: async () => {
      stopping.abort();
      await done;
    },
    vanish: async () => {
      await consumer[Symbol.asyncDispose]();
      await done.catch(() => undefined);
    },
  };
}
