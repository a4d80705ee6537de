import { setTimeout as sleep } from 'node:timers/promises';

import { isFailure } from '../../../src/domain/failure.ts';
import type { Batch } from '../../../src/ports/broker.ts';
import { randomOf, type Random } from '../random.ts';
import { waitFor } from '../wait.ts';
import { ModelCluster } from './cluster.ts';
import type { Model } from './model.ts';
import { runConsumer, type ModelRun } from './run-consumer.ts';

const PARTITIONS = 4;
const NODES = 3;
const STEPS = 25;
const QUIET_MS = 30_000;
/** Temporary errors of a partition, as brokers return them while leaders move. */
const PASSING = [6, 7, 13, 56, 74, 75];
/** A stop may take ten seconds, and the machine is busy. */
const STOP_MS = 12_000;

export interface ScheduleResult {
  readonly batches: number;
  readonly records: number;
  readonly seeks: number;
  readonly joins: number;
  /** How the run ended: by an expected failure, or by a stop. */
  readonly endedBy: string;
}

/**
 * One random schedule while the consumer of the kafka adapter reads: leaders that move, nodes that answer late, hang up
 * or lag behind, temporary errors, seeks, rebalances, compaction, deletions and unclean elections.
 *
 * @throws Error, with the seed, when a record was delivered out of order, skipped, or lost silently; when the run
 * failed
 *   without a reason or continued despite one; when timers were kept from firing; when the stop took too long
 */
export async function runSchedule(seed: number): Promise<ScheduleResult> {
  try {
    return await new Schedule(seed).run();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`ORDERCTL_TEST_SEED=${seed}: ${message}`, { cause: error });
  }
}

class Schedule {
  readonly #random: Random;
  /** Every value that was ever stored at an offset, by partition. */
  readonly #ever = Array.from({ length: PARTITIONS }, () => new Map<number, Set<string>>());
  /** The value that was last delivered for each offset. */
  readonly #got = Array.from({ length: PARTITIONS }, () => new Map<number, string>());
  readonly #next = new Array<number>(PARTITIONS).fill(0);
  /** The faults found in batches. */
  readonly #faults: string[] = [];
  #batches = 0;
  #seeks = 0;

  constructor(seed: number) {
    this.#random = randomOf(seed);
  }

  async run(): Promise<ScheduleResult> {
    const topics = this.#random.below(2) === 0 ? ['orders'] : ['orders', 'returns'];
    await using cluster = await ModelCluster.start({ topics, partitions: PARTITIONS, nodes: NODES });
    for (let partition = 0; partition < PARTITIONS; partition += 1) this.#append(cluster, partition, 20);
    const run = runConsumer(cluster, { onBatch: (batch) => this.#take(cluster.model, batch) });
    let failure: unknown;
    run.done.catch((error: unknown) => (failure = error));
    const isOver = (): boolean => failure !== undefined || this.#faults.length > 0;
    for (let step = 0; step < STEPS && !isOver(); step += 1) {
      this.#act(cluster);
      await sleep(this.#random.below(60));
    }
    this.#calm(cluster);
    const isDone = (): boolean => isOver() || this.#isRead(cluster);
    await waitFor('all to be read, or the failure that is due', isDone, Boolean, { timeoutMs: QUIET_MS });
    if (this.#faults.length > 0) throw new Error(this.#faults[0]);
    const due = this.#lossDue(cluster);
    if (failure === undefined && due !== undefined) {
      await waitFor(`the failure that is due: ${due}`, () => failure, Boolean, { timeoutMs: QUIET_MS });
    }
    if (failure === undefined) this.#verify(cluster);
    else if (due === undefined || !isFailure(failure, 'offsets_gone', 'topic_changed'))
      throw failure as Error;
    await this.#stop(run, failure);
    const records = this.#got.reduce((sum, { size }) => sum + size, 0);
    const endedBy = isFailure(failure) ? failure.code : 'stop';
    return { batches: this.#batches, records, seeks: this.#seeks, joins: cluster.model.joins, endedBy };
  }

  #act(cluster: ModelCluster): void {
    const random = this.#random;
    const { model } = cluster;
    const partition = random.below(PARTITIONS);
    const node = cluster.node(1 + random.below(NODES));
    const replica = model.of(partition);
    for (let index = 0; index < PARTITIONS; index += 1) this.#append(cluster, index, random.below(12));
    const actions: [weight: number, act: () => void][] = [
      [6, () => model.elect(partition, 1 + random.below(NODES))],
      [2, () => model.elect(partition, -1)],
      [2, () => node.hangUp()],
      [3, () => this.#slow(cluster)],
      [3, () => this.#trouble(cluster)],
      [2, () => model.expireMember()],
      [2, () => (model.coordinator = 1 + random.below(NODES))],
      [2, () => model.skip(partition)],
      [1, () => (node.view === undefined ? node.cutOff() : node.heal())],
      // Only up to the position: nothing is lost.
      [2, () => model.deleteBefore(partition, random.below((this.#next[partition] ?? 0) + 1))],
      [1, () => model.deleteBefore(partition, random.below(replica.end + 1))],
      [1, () => this.#lose(cluster, partition)],
    ];
    random.pick(actions)();
  }

  #append(cluster: ModelCluster, partition: number, count: number): void {
    const replica = cluster.model.of(partition);
    cluster.model.append(partition, count);
    for (const { offset, value } of replica.log.slice(-Math.max(count, 1))) {
      const values = this.#ever[partition]?.get(offset) ?? new Set();
      this.#ever[partition]?.set(offset, values.add(value));
    }
  }

  #lose(cluster: ModelCluster, partition: number): void {
    const { end } = cluster.model.of(partition);
    cluster.model.electUnclean(
      partition,
      1 + this.#random.below(NODES),
      Math.max(0, end - this.#random.below(15)),
    );
    this.#append(cluster, partition, this.#random.below(30));
  }

  #slow(cluster: ModelCluster): void {
    const slow = 1 + this.#random.below(NODES);
    const mostMs = this.#random.below(400);
    cluster.delayMs = (node) => (node === slow ? this.#random.below(mostMs + 1) : this.#random.below(3));
  }

  #trouble(cluster: ModelCluster): void {
    const troubled = this.#random.below(PARTITIONS);
    const code = PASSING[this.#random.below(PASSING.length)] ?? 0;
    let left = this.#random.below(6);
    cluster.trouble = (partition) => (partition === troubled && left-- > 0 ? code : 0);
  }

  /** All nodes run and answer. */
  #calm(cluster: ModelCluster): void {
    cluster.delayMs = () => 0;
    cluster.trouble = () => 0;
    for (const node of cluster.nodes) node.heal();
    for (const [partition, { leader }] of cluster.model.partitions.entries()) {
      if (leader < 0) cluster.model.elect(partition, 1 + this.#random.below(NODES));
    }
  }

  /** Checks a batch: it must start at the position, be in order and leave nothing out. */
  async #take(model: Model, batch: Batch): Promise<number | undefined> {
    const { records, next } = batch;
    const partition = model.indexOf(batch);
    const from = this.#next[partition] ?? 0;
    const ever = this.#ever[partition];
    const got = this.#got[partition];
    this.#batches += 1;
    const offsets = records.map(({ offset }) => offset);
    const complain = (what: string): void => {
      this.#faults.push(`${what}: partition ${partition} from ${from}, a batch of ${offsets[0]} to ${next}`);
    };
    for (const record of records) {
      const value = Buffer.from(record.value ?? []).toString();
      if (record.offset < from || record.offset >= next) complain(`offset ${record.offset} is out of place`);
      if (ever?.get(record.offset)?.has(value) !== true) complain(`${value} never lay at ${record.offset}`);
      got?.set(record.offset, value);
    }
    if (offsets.some((offset, index) => index > 0 && offset <= (offsets[index - 1] ?? 0)))
      complain('a disorder');
    // Sometimes slower than the brokers, so that answers wait.
    if (this.#random.below(4) === 0) await sleep(this.#random.below(30));
    const isSeek = this.#random.below(4) === 0;
    const goOn = isSeek ? from + this.#random.below(next - from + 1) : next;
    if (goOn !== next) this.#seeks += 1;
    this.#next[partition] = goOn;
    return goOn === next ? undefined : goOn;
  }

  #isRead({ model }: ModelCluster): boolean {
    return model.partitions.every(
      ({ log }, partition) => (this.#next[partition] ?? 0) > (log.at(-1)?.offset ?? -1),
    );
  }

  /** The loss that must be reported: records deleted or cut off before they were read; undefined if there were none. */
  #lossDue({ model }: ModelCluster): string | undefined {
    for (const [partition, { start, end, log }] of model.partitions.entries()) {
      const next = this.#next[partition] ?? 0;
      const got = this.#got[partition] ?? new Map<number, string>();
      // Without a position it starts at the earliest record that exists by then.
      if (got.size === 0) continue;
      const first = Math.min(...got.keys());
      const where = `partition ${partition}, ${start} to ${end}, at ${next}`;
      if (next < start || next > end) return `${where}: the position`;
      const other = log.find(({ offset, value }) => (got.get(offset) ?? value) !== value);
      if (other !== undefined) return `${where}: another record at ${other.offset} than was delivered`;
      const unread = [...(this.#ever[partition]?.keys() ?? [])].find(
        (offset) => offset >= first && offset < Math.min(start, next) && !got.has(offset),
      );
      if (unread !== undefined) return `${where}: ${unread} was deleted, and not delivered`;
    }
    return undefined;
  }

  #verify({ model }: ModelCluster): void {
    for (const [partition, { log }] of model.partitions.entries()) {
      if (this.#got[partition]?.size === 0 && log.length > 0) throw new Error(`nothing of ${partition} came`);
      for (const { offset, value } of log) {
        const got = this.#got[partition]?.get(offset);
        if (got !== value)
          throw new Error(`${partition}@${offset} is ${value}, and ${String(got)} was delivered`);
      }
    }
  }

  async #stop(run: ModelRun, failure: unknown): Promise<void> {
    const startedAt = performance.now();
    if (failure === undefined) await run.stop();
    if (performance.now() - startedAt > STOP_MS) throw new Error('the stop took too long');
  }
}
