import { Failure, isFailure } from '../../domain/failure.ts';
import type { ProcessorName } from '../../domain/messages/message.ts';
import type { Broker, BrokerAdmin, PartitionRange, RecordChunk } from '../../ports/broker.ts';
import type { Codec } from '../../ports/codec.ts';
import type { RecordFingerprint } from '../../ports/record.ts';
import type { KeptView } from '../../ports/access.ts';
import type { Position } from '../../ports/store.ts';

/** The number of ids to keep, from the latest records: beyond that, an id that is not found may be an older one. */
const KEPT = 200_000;

export interface UnreadIn<T> {
  readonly broker: Broker;
  readonly codec: Pick<Codec<T>, 'decode'>;
  readonly topic: string;
  /** The processor whose position determines what is unread. */
  readonly processor: ProcessorName;
  readonly view: KeptView;
  readonly idOf: (value: T) => string;
}

interface Place {
  readonly partition: number;
  readonly offset: number;
}

/**
 * The orders in a topic that its processor has not read yet, by id. Follows both the topic and the position of the
 * processor, so that a look-up only reads the records since the last one.
 */
export class UnreadOrders<T> implements AsyncDisposable {
  readonly #in: UnreadIn<T>;
  readonly #kept: number;
  readonly #partitions = new Map<number, KnownPartition>();
  /** The records of each id, in the order in which they were found: when one is skipped, the others may still count. */
  readonly #places = new Map<string, Place[]>();
  #admin: Promise<BrokerAdmin> | null = null;
  /** The number of unread records whose ids are not kept: they are older than the kept ones. */
  #unknown = 0;
  /** The next reading, for all calls before it starts. */
  #next: Promise<void> | null = null;
  #reading: Promise<unknown> = Promise.resolve();

  /** @param kept for tests */
  constructor(ports: UnreadIn<T>, kept = KEPT) {
    this.#in = ports;
    this.#kept = kept;
  }

  /**
   * @returns undefined when no unread record has that id
   * @throws Failure as the broker; broker_unreachable when there are unread records whose ids are not kept
   */
  async find(orderId: string): Promise<T | undefined> {
    await (this.#next ??= this.#begin());
    // The first record counts.
    for (const place of [...(this.#places.get(orderId) ?? [])]) {
      const value = await this.#valueAt(place, orderId);
      if (value !== undefined) return value;
    }
    if (this.#unknown === 0) return undefined;
    const { topic } = this.#in;
    const message = `${this.#unknown + this.#places.size} orders are waiting for the consumer: ${orderId} may be one of them`;
    throw new Failure('broker_unreachable', message, {
      fix: 'try again when it has caught up',
      context: { orderId, topic },
    });
  }

  /** Starts after the present reading, so that it includes all records from before the calls that wait for it. */
  #begin(): Promise<void> {
    const next = this.#reading.then(() => {
      this.#next = null;
      return this.#withAdmin((admin) => this.#read(admin));
    });
    this.#reading = next.catch(() => undefined);
    return next;
  }

  async #withAdmin<R>(use: (admin: BrokerAdmin) => Promise<R>): Promise<R> {
    const admin = (this.#admin ??= this.#in.broker.admin());
    try {
      return await use(await admin);
    } catch (error) {
      if (this.#admin === admin) await this.#leave();
      throw error;
    }
  }

  async #leave(): Promise<void> {
    const admin = await this.#admin?.catch(() => null);
    this.#admin = null;
    await admin?.[Symbol.asyncDispose]();
  }

  async #read(admin: BrokerAdmin): Promise<void> {
    const { topic, processor, view } = this.#in;
    const isThere = (await admin.partitionCount(topic)) !== undefined;
    const ranges = isThere ? await admin.ranges(topic) : [];
    if (isThere) await this.#dropReplaced(admin);
    // Read after the ends of the topic: records that were processed meanwhile are known to the store.
    const positions = await view.lookAtOrders((reader) => reader.positions());
    const next = new Map(
      positions
        .filter((position) => position.processor === processor && position.topic === topic)
        .map((position) => [position.partition, position.next]),
    );
    const share = Math.floor(this.#kept / Math.max(1, ranges.length));
    const wanted = ranges.map((range) => this.#forget(range, next.get(range.partition) ?? 0, share));
    this.#unknown = wanted.reduce((sum, { unknown }) => sum + unknown, 0);
    for (const partition of this.#partitions.keys()) if (partition >= ranges.length) this.#drop(partition);
    const added = wanted.filter(({ from, to }) => to > from);
    if (added.length === 0) return;
    for await (const chunk of admin.records(topic, added)) await this.#add(chunk);
  }

  /** Drops the partitions of a topic that was recreated, whatever its length is now. */
  async #dropReplaced(admin: BrokerAdmin): Promise<void> {
    const { topic } = this.#in;
    const read = new Map<number, Position>();
    for (const [partition, { to, last }] of this.#partitions)
      if (last !== null) read.set(partition, { topic, partition, next: to, last, clusterId: null });
    if (read.size === 0) return;
    for (const partition of (await admin.refusedPositions(topic, read)).keys()) this.#drop(partition);
  }

  /** Forgets what was read, and what exceeds the share. @returns the range to read */
  #forget({ partition, start, end }: PartitionRange, next: number, share: number) {
    const unreadFrom = Math.min(Math.max(start, next), end);
    const from = Math.max(unreadFrom, end - share);
    const before = this.#partitions.get(partition);
    // The topic is shorter now, records were skipped, or the position was moved back.
    if (before !== undefined && (before.to > end || before.to < from || before.from > from))
      this.#drop(partition);
    const known = this.#partitions.get(partition) ?? new KnownPartition(from);
    this.#partitions.set(partition, known);
    this.#forgetPlaces(partition, known, from);
    return { partition, from: known.to, to: end, unknown: from - unreadFrom };
  }

  #drop(partition: number): void {
    const known = this.#partitions.get(partition);
    this.#partitions.delete(partition);
    if (known !== undefined) this.#forgetPlaces(partition, known, Infinity);
  }

  #forgetPlaces(partition: number, known: KnownPartition, before: number): void {
    for (const id of new Set(known.forget(before))) {
      const places = this.#places.get(id) ?? [];
      const left = places.filter((place) => place.partition !== partition || place.offset >= before);
      if (left.length === 0) this.#places.delete(id);
      else this.#places.set(id, left);
    }
  }

  async #add(chunk: RecordChunk): Promise<void> {
    const { partition, records, next } = chunk;
    const known = this.#partitions.get(partition);
    const decoded = await this.#in.codec.decode(records);
    decoded.forEach((one, at) => {
      const offset = records[at]?.offset;
      if (one.kind !== 'message' || offset === undefined) return;
      const id = this.#in.idOf(one.value);
      known?.add(id, offset);
      const places = this.#places.get(id);
      if (places === undefined) this.#places.set(id, [{ partition, offset }]);
      else places.push({ partition, offset });
    });
    if (known === undefined) return;
    if (records.length > 0) known.last = chunk.fingerprint(records.length - 1);
    known.to = next;
  }

  async #valueAt({ partition, offset }: Place, orderId: string): Promise<T | undefined> {
    const { topic, codec, idOf } = this.#in;
    const range = { partition, from: offset, to: offset + 1 };
    try {
      return await this.#withAdmin(async (admin) => {
        for await (const { records } of admin.records(topic, [range]))
          for (const one of await codec.decode(records))
            if (one.kind === 'message' && idOf(one.value) === orderId) return one.value;
        return undefined;
      });
    } catch (error) {
      // It was read and deleted since.
      if (isFailure(error, 'offsets_gone')) return undefined;
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reading;
    await this.#leave();
  }
}

/** The ids of the records of a partition in a range of offsets, in order. */
class KnownPartition {
  /** Records before this offset were read, or their ids are not kept. */
  from: number;
  to: number;
  /** The fingerprint of the record before `to`, to recognize the topic. */
  last: RecordFingerprint | null = null;
  #ids: string[] = [];
  #offsets: number[] = [];
  #first = 0;

  constructor(from: number) {
    this.from = from;
    this.to = from;
  }

  add(id: string, offset: number): void {
    this.#ids.push(id);
    this.#offsets.push(offset);
  }

  /** Forgets the records before an offset. @returns their ids */
  *forget(before: number): Generator<string> {
    this.from = Math.max(this.from, Math.min(before, this.to));
    for (; this.#first < this.#ids.length; this.#first += 1) {
      if ((this.#offsets[this.#first] ?? Infinity) >= before) break;
      yield this.#ids[this.#first] ?? '';
    }
    // Only when half is obsolete: removing from the start moves all others.
    if (this.#first * 2 < this.#ids.length) return;
    this.#ids = this.#ids.slice(this.#first);
    this.#offsets = this.#offsets.slice(this.#first);
    this.#first = 0;
  }
}
