import { recordBatch } from '../record-batches.ts';

export interface Entry {
  readonly offset: number;
  readonly value: string;
}

/** One partition as one replica has it. */
export interface Replica {
  /** The id of its topic, in Metadata from version 10 on. */
  topicId: string;
  /** -1 for none. */
  leader: number;
  epoch: number;
  /** The first offset that was not deleted. */
  start: number;
  /** The offset of the next record. */
  end: number;
  log: Entry[];
  /** Its batches fail their checksum. */
  isBroken: boolean;
}

/** Maximum number of records in a batch: small, so that an answer has several batches. */
const BATCH_RECORDS = 4;

/**
 * A topic and a group as the cluster has them. Tests change them as a cluster would: clients see the change at their
 * next request.
 */
export class Model {
  readonly topics: readonly string[];
  /** Partitions of all topics: one from each topic in turn. */
  readonly partitions: Replica[];
  clusterId = 'model';
  /** The node that coordinates the group. */
  coordinator = 1;
  generation = 0;
  memberId = '';
  joins = 0;
  /** The session time-out in each join request, refused or not. */
  readonly sessionTimeouts: number[] = [];
  /** By index of the partition. */
  readonly committed = new Map<number, number>();
  /** Every commit request, refused or not. */
  readonly commits: { generation: number; error: number; offsets: ReadonlyMap<number, number> }[] = [];
  #values = 0;
  #timesMade = 1;

  constructor(topics: readonly string[], partitions: number, nodes: number) {
    this.topics = topics;
    this.partitions = Array.from({ length: partitions }, (_, index) => ({
      topicId: idOf(index % topics.length),
      leader: (index % nodes) + 1,
      epoch: 5,
      start: 0,
      end: 0,
      log: [],
      isBroken: false,
    }));
  }

  of(partition: number): Replica {
    const found = this.partitions[partition];
    if (found === undefined) throw new Error(`no partition ${partition}`);
    return found;
  }

  /** Which of the partitions it is; −1 for none. */
  indexOf({ topic, partition }: { topic: string; partition: number }): number {
    const at = this.topics.indexOf(topic);
    const index = partition * this.topics.length + at;
    return at < 0 || index >= this.partitions.length ? -1 : index;
  }

  place(index: number): { topic: string; partition: number } {
    const { topics } = this;
    return { topic: topics[index % topics.length] ?? '', partition: Math.floor(index / topics.length) };
  }

  /** Appends unique values. */
  append(partition: number, count = 1, sizeBytes = 0): void {
    const replica = this.of(partition);
    for (let left = count; left > 0; left -= 1) {
      this.#values += 1;
      replica.log.push({ offset: replica.end, value: `v${this.#values}`.padEnd(sizeBytes, '.') });
      replica.end += 1;
    }
  }

  /** An offset without a record, as left by compaction or a control record. */
  skip(partition: number): void {
    this.of(partition).end += 1;
  }

  /** @param leader -1 for none */
  elect(partition: number, leader: number): void {
    const replica = this.of(partition);
    replica.leader = leader;
    replica.epoch += 1;
  }

  /** Elects a replica that has less than was acknowledged. */
  electUnclean(partition: number, leader: number, end: number): void {
    this.elect(partition, leader);
    const replica = this.of(partition);
    replica.log = replica.log.filter(({ offset }) => offset < end);
    replica.end = Math.min(replica.end, end);
  }

  deleteBefore(partition: number, offset: number): void {
    const replica = this.of(partition);
    replica.start = Math.max(replica.start, Math.min(offset, replica.end));
    replica.log = replica.log.filter((entry) => entry.offset >= replica.start);
  }

  /** Adds a partition, where there is one topic. */
  grow(leader: number): void {
    this.partitions.push({ ...this.of(0), leader, start: 0, end: 0, log: [] });
  }

  /** Deletes all topics and recreates them, with the same leaders and epochs. */
  makeAgain(): void {
    this.#timesMade += 1;
    for (const [index, replica] of this.partitions.entries()) {
      const topicId = idOf(index % this.topics.length, this.#timesMade);
      Object.assign(replica, { topicId, start: 0, end: 0, log: [] });
    }
  }

  /** The group drops its member, as when the session has expired. */
  expireMember(): void {
    this.memberId = '';
    this.generation += 1;
  }
}

/**
 * Record batches from an offset on, as a leader sends them: as many as fit, and the beginning of the next one.
 *
 * @param isFirst of its answer: then at least one batch is complete
 */
export function batchesFrom(replica: Replica, offset: number, maxBytes: number, isFirst: boolean): Buffer {
  const batches: Buffer[] = [];
  let sizeBytes = 0;
  // Batches stay as they were appended: the first one may start before the requested offset.
  const from = offset - (offset % BATCH_RECORDS);
  let at = replica.log.findIndex((entry) => entry.offset >= from);
  while (at >= 0 && at < replica.log.length) {
    const run = runAt(replica.log, at);
    at += run.length;
    const first = run[0]?.offset ?? 0;
    if (first + run.length <= offset) continue;
    const batch = recordBatch({ values: run.map(({ value }) => value) });
    batch.writeBigInt64BE(BigInt(first), 0);
    batch.writeInt32BE(replica.epoch, 12);
    if (replica.isBroken) batch.writeUInt8(batch.readUInt8(batch.length - 1) ^ 1, batch.length - 1);
    batches.push(batch);
    sizeBytes += batch.length;
    if (sizeBytes >= maxBytes) break;
  }
  const wholeBytes = isFirst ? (batches[0]?.length ?? 0) : 0;
  return Buffer.concat(batches).subarray(0, Math.max(maxBytes, wholeBytes));
}

/** The records from there to the end of their batch, or to the next gap. */
function runAt(log: readonly Entry[], at: number): Entry[] {
  const run: Entry[] = [];
  for (let entry = log[at]; entry !== undefined; entry = log[at + run.length]) {
    const before = run.at(-1);
    if (before !== undefined && (entry.offset !== before.offset + 1 || entry.offset % BATCH_RECORDS === 0))
      break;
    run.push(entry);
  }
  return run;
}

/** In the form in which Kafka prints topic ids. */
function idOf(topic: number, timesMade = 1): string {
  return Buffer.alloc(16, 16 * timesMade + topic).toString('base64url');
}
