import path from 'node:path';
import { FileStore } from '../../src/adapters/files/store.ts';
import { markOf } from '../../src/app/offsets/plan.ts';
import { prepareRun, type PrepareOptions } from '../../src/app/run/prepare.ts';
import type { EditVia } from '../../src/domain/edit.ts';
import { isFailure } from '../../src/domain/failure.ts';
import { ORDERS } from '../../src/processors/orders/processor.ts';
import type { Processes } from '../../src/ports/processes.ts';
import type { StoredPosition } from '../../src/ports/store.ts';
import type { CallPoint, FaultyFs } from '../support/faulty-fs.ts';
import { ordersRunner, type OrdersRunner } from '../support/orders-runner.ts';
import { Pausable } from '../support/pausable.ts';
import { ManualClock, turn } from './manual-clock.ts';
import * as oracle from './oracle.ts';
import type { FileVersion, Rows, SaveOutcome, TableEdit, TableFile, Truth } from './oracle.ts';
import { paidIn } from './owed.ts';
import { SimBroker, type SendFault } from './sim-broker.ts';
import { SimGateway } from './sim-gateway.ts';
import type { History } from './steps.ts';
import { batchOf, DLQ_TOPIC, knowingCodec, PARTITIONS, TOPIC, type SimTopic } from './topic.ts';
import { matching } from './verify.ts';

export const FOLDER = '/shop/storage';
export const TABLE_FILES = ['users.csv', 'inventory.csv'] as const;

/** A file that a person leaves half written or broken, and how it is completed before anybody starts again. */
export interface Unfinished {
  readonly text: string;
  readonly broken: boolean;
}

/** Everything but memory: what the next process and the outside find. */
export interface Moment {
  readonly files: FaultyFs;
  readonly broker: SimBroker;
  readonly gateway: SimGateway;
  /** What a crash at this moment may leave: what was acknowledged, and what was in flight. */
  readonly truths: readonly Truth[];
  readonly versions: Readonly<Record<TableFile, readonly FileVersion[]>>;
  readonly unfinished: ReadonlyMap<TableFile, Unfinished>;
  readonly time: number;
  /** How many have owned the folder. */
  readonly owner: number;
  /** Index of the step in hand. */
  readonly step: number;
}

/** What became of saves made from a version that somebody had loaded. */
export type SaveCounts = Record<SaveOutcome, number>;

/** A folder with its owner, the cluster beside it, and the truth about both. */
const GROUP = 'simulated';
/** Of the event loop, within which all that waits for nobody is sent. */
const MOST_TURNS = 1_000;

export class World {
  readonly history: History;
  readonly topic: SimTopic;
  files: FaultyFs;
  readonly broker: SimBroker;
  readonly gateway: SimGateway;
  readonly clock: ManualClock;
  readonly versions: Record<TableFile, FileVersion[]>;
  readonly unfinished: Map<TableFile, Unfinished>;
  truths: readonly Truth[];
  step: number;
  owner: number;
  /** By partition, as the consumer knows them. */
  positions = new Map<number, StoredPosition>();
  /** The same before the last batch. */
  earlier = new Map<number, StoredPosition>();
  onCall: ((point: CallPoint) => void) | undefined;
  readonly saves: SaveCounts = { meant: 0, aside: 0, wrong: 0 };
  /** That of the owner of the folder. */
  process: Pausable;
  #interrupt: { calls: number; act: () => void } | undefined;
  #store: FileStore | undefined;
  #processor: OrdersRunner | undefined;

  constructor(history: History, topic: SimTopic, moment: Moment) {
    this.history = history;
    this.topic = topic;
    this.files = moment.files;
    this.broker = moment.broker;
    this.gateway = moment.gateway;
    this.truths = moment.truths;
    this.versions = {
      'users.csv': [...moment.versions['users.csv']],
      'inventory.csv': [...moment.versions['inventory.csv']],
    };
    this.unfinished = new Map(moment.unfinished);
    this.clock = new ManualClock(moment.time);
    this.process = new Pausable(this.files, this.clock);
    this.step = moment.step;
    this.owner = moment.owner;
    this.files.onCall = (point) => this.#beforeCall(point);
  }

  moment(files: FaultyFs): Moment {
    const { truths, versions, unfinished, clock, step, owner } = this;
    return {
      files,
      broker: new SimBroker(this.topic, this.broker),
      gateway: new SimGateway(this.gateway),
      truths,
      versions: {
        'users.csv': [...versions['users.csv']],
        'inventory.csv': [...versions['inventory.csv']],
      },
      unfinished: new Map(unfinished),
      time: clock.time,
      owner,
      step,
    };
  }

  get store(): FileStore {
    if (this.#store === undefined) throw new Error('nobody owns the folder');
    return this.#store;
  }

  /** The one truth between two steps. */
  get truth(): Truth {
    const [truth, ...others] = this.truths;
    if (truth === undefined || others.length > 0) throw new Error('the truth is not settled');
    return truth;
  }

  #beforeCall(point: CallPoint): void {
    const interrupt = this.#interrupt;
    if (interrupt !== undefined && --interrupt.calls === 0) {
      this.#interrupt = undefined;
      interrupt.act();
    }
    for (const file of TABLE_FILES) {
      const name = this.path(file);
      if (point.what === `link ${name}.new ${name}`) this.#seePlaced(file, name);
    }
    this.onCall?.(point);
  }

  /** A call of the outside: a crash falls before it too. */
  atCall(what: string): void {
    this.onCall?.({ number: NaN, what, image: () => this.files.survived('kill') });
  }

  /** What a person does before a call of `work`, or after it when it makes fewer. */
  async interruptAt(call: number, act: () => void, work: () => Promise<void>): Promise<void> {
    this.#interrupt = { calls: call, act };
    await work();
    const late = this.#interrupt as { act: () => void } | undefined;
    this.#interrupt = undefined;
    late?.act();
  }

  /** A version of a CSV goes to its place. */
  #seePlaced(file: TableFile, name: string): void {
    const text = this.files.get(`${name}.new`)?.toString() ?? '';
    const version = { rows: oracle.parseCsv(text), text };
    const taken = this.files.get(name) !== undefined;
    // Somebody was faster: what was written down before is the older one.
    this.addVersion(file, version, taken ? 1 : 0);
  }

  /** @param back how many are newer */
  addVersion(file: TableFile, version: FileVersion, back = 0): void {
    const list = this.versions[file];
    list.splice(list.length - back, 0, version);
  }

  path(file: string): string {
    return path.join(FOLDER, file);
  }

  /**
   * Nobody owns the folder, and a copy of it of before takes its place. What it knows is all that is known: the cluster
   * alone goes on from where it is.
   *
   * @param as newId: the copy is consumed by a group of its own, which has committed nothing
   */
  goOnWith(copy: Moment, as: { readonly newId: boolean }): void {
    this.files = copy.files;
    this.files.onCall = (point) => this.#beforeCall(point);
    this.truths = copy.truths;
    for (const file of TABLE_FILES) this.versions[file] = [...copy.versions[file]];
    this.broker.forget();
    this.gateway.knowOnly(copy.truths.flatMap(paidIn));
    if (as.newId) this.broker.committed.clear();
  }

  async open(via: EditVia = 'consume', newId = false): Promise<FileStore> {
    this.#store = undefined;
    this.owner += 1;
    this.process = new Pausable(this.files, this.clock);
    this.#store = await FileStore.open({
      files: this.process.files,
      folder: FOLDER,
      clock: this.process.clock,
      user: 'tester',
      via,
      onNotice: () => undefined,
      newId,
      checkpointBytes: this.history.checkpointBytes,
    });
    return this.#store;
  }

  /** As a consumer starts: positions are settled with the group, and what waits to be sent is sent. */
  async start(): Promise<void> {
    const { store, broker, truth } = this;
    const mark = markOf(store.storeId);
    const moves = [...broker.committed.values()]
      .filter(({ offset, metadata }) => offset !== null && metadata !== mark)
      .map(({ partition, offset }) => ({ partition, to: offset ?? 0, cause: 'group_moved' }))
      .filter(({ partition, to }) => truth.positions.get(partition) !== to)
      .sort((a, b) => a.partition - b.partition);
    const moved = oracle.afterMoves(truth, moves);
    const options = { ...this.#options(), processor: 'orders' } as const;
    this.truths = [truth, moved];
    // Nobody else is ever in the group.
    const processes: Processes = { self: () => null, stateOf: () => 'unknown' };
    const ports = { store, broker, processes, clock: this.clock };
    const [[prepared] = []] = await prepareRun(ports, [{ processor: ORDERS, group: GROUP }], options);
    this.positions = prepared?.positions ?? new Map<number, StoredPosition>();
    this.earlier = new Map(this.positions);
    this.truths = [moved];
    this.#processor = this.#processorFor(this.positions);
    await this.send();
  }

  /** Sends what waits to be sent, to each topic by itself. */
  async send(comesTo = oracle.whileSending): Promise<void> {
    const { truth } = this;
    const { silent } = this.broker;
    this.truths = comesTo(truth, silent);
    await this.#drain(this.#processor);
    this.truths = [oracle.afterDrain(truth, silent)];
  }

  /** All that can be sent; what cannot holds up nothing else. */
  async #drain(processor: OrdersRunner | undefined): Promise<void> {
    const { silent } = this.broker;
    const drained = processor?.outbox.drain();
    if (silent.size === 0) return drained;
    drained?.catch(() => undefined);
    const held = (): string[] => [...this.store.unsent().keys()].filter((topic) => !silent.has(topic));
    for (let turns = 0; held().length > 0; turns++) {
      if (turns > MOST_TURNS) throw new Error(`${[...silent].join()} holds up ${held().join()}`);
      await turn();
    }
  }

  /**
   * Its owner, which was paused while it sent to a topic, wakes up when another owns the folder.
   *
   * @throws Failure folder_in_use
   */
  async sendLate(topic: string): Promise<void> {
    this.broker.answerAgain(topic);
    await this.#processor?.outbox.drain();
  }

  #options(): PrepareOptions {
    return {
      names: new Map([
        ['orders', TOPIC],
        ['orders.dlq', DLQ_TOPIC],
      ]),
      untilEnd: true,
      reset: null,
      adopt: false,
      create: true,
      signal: new AbortController().signal,
      on: () => undefined,
    };
  }

  #processorFor(positions: Map<number, StoredPosition>): OrdersRunner {
    const { store, broker } = this;
    return ordersRunner({
      store,
      codec: knowingCodec,
      broker,
      positions,
      group: GROUP,
      dlqTopic: DLQ_TOPIC,
      untilEnd: true,
    });
  }

  async close(): Promise<void> {
    const store = this.#store;
    this.#store = undefined;
    await store?.[Symbol.asyncDispose]();
  }

  async restart(): Promise<void> {
    await this.close();
    await this.open();
    await this.start();
  }

  /**
   * One batch through the consumer's own path, from where `positions` stand.
   *
   * @param before commits that come first
   * @param beside what goes on at the same time, and is to be done too
   */
  async batch(
    fetch: { partition: number; count: number; stale: number; sendFault: SendFault | null },
    positions = this.positions,
    before: readonly Truth[] = [this.truth],
    beside: Promise<unknown> = Promise.resolve(),
  ): Promise<void> {
    const { partition, count, stale } = fetch;
    const known = before.at(-1) ?? this.truth;
    const expected = positions.get(partition)?.next;
    const from = Math.max(0, (expected ?? 0) - stale);
    const inForce = expected === known.positions.get(partition);
    const after = inForce
      ? oracle.afterBatch(known, this.topic, { partition, from, count }, this.clock.now())
      : known;
    const { silent } = this.broker;
    const drained = oracle.afterDrain(after, silent);
    this.truths = [...before, ...oracle.whileSending(after, silent)];
    this.broker.sendFault = fetch.sendFault;
    if (positions === this.positions) this.earlier = new Map(positions);
    const processor = positions === this.positions ? this.#processor : this.#processorFor(positions);
    const next = await processor?.batches.process(batchOf(this.topic, partition, from, count));
    // A run waits no longer than a quarter of a second for this; here nothing else comes meanwhile.
    await this.#drain(processor);
    await beside;
    this.broker.sendFault = null;
    // Nothing new for whom reads: the store is not asked.
    const fetched = batchOf(this.topic, partition, from, count).next;
    const nothing = expected !== undefined && fetched <= expected;
    const wanted = nothing ? expected : (drained.positions.get(partition) ?? next);
    if (next !== wanted)
      throw new Error(`partition ${partition} goes on at ${next ?? 'none'}, not at ${wanted ?? 'none'}`);
    this.broker.committed.set(partition, {
      partition,
      offset: next ?? 0,
      metadata: markOf(this.store.storeId),
    });
    this.truths = [drained];
  }

  /** An edit by command, sent to the owner. */
  async edit(request: TableEdit): Promise<void> {
    const { truth } = this;
    const after = oracle.afterEdit(truth, request, 'command');
    this.truths = [truth, after];
    const done = await succeeds(() => this.store.edit(request, { by: 'somebody', via: 'command' }));
    if (done !== (after !== truth)) throw new Error(`${request.kind} was ${done ? 'made' : 'refused'}`);
    this.truths = [after];
  }

  /** A transaction that changes nothing takes hand edits in. */
  async look(): Promise<void> {
    await this.store.transact({}, () => ({ changes: {}, result: null }));
    await this.settle();
  }

  /** Where several truths are possible, the store says which it is. */
  async settle(): Promise<void> {
    if (this.truths.length > 1) this.truths = [await matching(this, this.truths)];
  }

  /**
   * A user's file is there from this moment on, whatever crashes.
   *
   * @param loaded what the editor had loaded; null: no editor has saved it
   * @returns what became of it, to be asked once the truth is settled
   */
  saved(file: TableFile, text: string, loaded: Rows | null): () => SaveOutcome {
    const outcomes = this.truths.flatMap((truth) =>
      oracle.afterSave(truth, file, text, this.versions[file], loaded),
    );
    this.truths = outcomes.map(({ truth }) => truth);
    this.unfinished.delete(file);
    // What is taken in is the newest version.
    if (outcomes.some(({ outcome }) => outcome !== 'aside')) {
      this.addVersion(file, { rows: oracle.parseCsv(text), text });
    }
    return () => outcomes.findLast(({ truth }) => truth === this.truth)?.outcome ?? 'wrong';
  }

  /**
   * The next process after a crash: what a person left unfinished is completed, the folder opened, and found to be one
   * of the truths.
   */
  async recover(): Promise<void> {
    // A version may have been written down and not put in place.
    for (const file of TABLE_FILES) {
      const rows = new Set(this.truths.map((truth) => truth.rows[file]));
      for (const table of rows) this.addVersion(file, { rows: table, text: null });
    }
    for (const [file, { text, broken }] of this.unfinished) {
      if (broken) await this.expectRefusal(file);
      this.files.put(this.path(file), Buffer.from(text));
      this.saved(file, text, null);
    }
    await this.open();
    this.truths = [await matching(this, this.truths)];
  }

  /** A broken file is refused with its name and line, and left as it is. */
  async expectRefusal(file: TableFile): Promise<void> {
    const name = this.path(file);
    const before = this.files.get(name);
    let refusal: unknown;
    try {
      await this.open();
    } catch (error) {
      refusal = error;
    }
    if (!isFailure(refusal, 'corrupt_file') || refusal.context.file !== name || refusal.context.line !== 2) {
      throw new Error(`${name} is broken and not refused so: ${String(refusal)}`);
    }
    if (this.files.get(name) !== before) throw new Error(`${name} was broken and is changed`);
  }

  /** Reads every partition from its beginning to its end: what was decided before is decided once only. */
  async readAll(): Promise<void> {
    for (let partition = 0; partition < PARTITIONS; partition++) {
      await this.rewind(partition, 0);
      this.positions.set(partition, {
        processor: 'orders',
        topic: TOPIC,
        partition,
        next: 0,
        last: null,
        clusterId: null,
      });
      await this.batch({ partition, count: 100, stale: 0, sendFault: null });
    }
  }

  async rewind(partition: number, to: number): Promise<void> {
    const { truth, store } = this;
    const after = oracle.afterMoves(truth, [{ partition, to, cause: 'reset' }]);
    this.truths = [truth, after];
    const of = { processor: 'orders', topic: TOPIC, partition } as const;
    await store.transact({ positions: [of] }, (snapshot) => {
      const before = snapshot.position(of)?.next ?? null;
      return {
        changes: {
          edits: [{ kind: 'position', ...of, before, after: to, cause: 'reset' }],
          positions: [{ ...of, next: to, last: null, clusterId: null }],
        },
        result: null,
      };
    });
    this.truths = [after];
  }
}

/** @returns false when it is refused without harm */
export async function succeeds(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (isFailure(error, 'already_exists', 'not_found', 'invalid_value')) return false;
    throw error;
  }
}
