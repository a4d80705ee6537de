import type { Balance } from '../../domain/balance.ts';
import { isFailure } from '../../domain/failure.ts';
import type { KeptView, StoreAccess } from '../../ports/access.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RunningConsumer } from '../../ports/owner.ts';
import { RunningBalance, type Paced } from './balance.ts';
import { givingWay } from './give-way.ts';
import type { KafkaWatch, SeenKafka } from './kafka-watch.ts';

const PULSE_MS = 1_000;
/** An update waits this long for the current books; after that it shows the previous ones. */
const PATIENCE_MS = 300;
/** The share of the time that adding up may take: the larger the shop, the less often it runs. */
const ADDING_SHARE = 0.2;
/**
 * Lines that were added while all lines were read are read in further passes, until a pass takes less than this time or
 * this many passes were made.
 */
const LITTLE_MS = 50;
const MOST_PASSES = 5;
/** The least time after a failure before all lines are read again; more if reading took longer. */
const RETRY_MS = 5_000;
/** The same share for adding up the logs from their start, which detects changes to lines that were read before. */
const WHOLE_SHARE = 0.02;

/** A process of a shop whose processes are run by one program. */
export interface ShopPart {
  readonly name: string;
  /** null: it is being restarted. */
  readonly pid: number | null;
  /** How its last process ended, until the next one runs steadily; null: it did not end. */
  readonly problem: string | null;
}

/** The state of a shop at one moment. */
export interface Overview {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly balance: Balance | null;
  /** When the balance was added up; null: never yet. */
  readonly balancedAt: number | null;
  /** null: no consumer is running. */
  readonly consumer: RunningConsumer | null;
  readonly kafka: SeenKafka;
  /** The processes of the program that started this one; null: it was started by hand. */
  readonly parts: readonly ShopPart[] | null;
  /** Why some of this is unknown. */
  readonly problem: string | null;
}

export interface OverviewPorts {
  readonly access: StoreAccess;
  readonly view: KeptView;
  readonly kafka: KafkaWatch;
  readonly parts: () => Overview['parts'];
  readonly clock: Clock;
}

/** Observes a shop, once per second. */
export class OverviewWatch {
  readonly #access: StoreAccess;
  readonly #view: KeptView;
  readonly #kafka: KafkaWatch;
  readonly #parts: OverviewPorts['parts'];
  readonly #clock: Clock;
  /** null: not added up yet. */
  #running: RunningBalance | null = null;
  #adding: Promise<void> | null = null;
  #addingAll: Promise<void> | null = null;
  /** Why the last attempt of each failed; null: it succeeded, or none was made. */
  #notAdded: unknown = null;
  #notAddedAll: unknown = null;
  #wholeAgainAt = 0;
  #balance: Balance | null = null;
  #balancedAt: number | null = null;
  #addAgainAt = 0;
  #latest: Overview | null = null;

  constructor({ access, view, kafka, parts, clock }: OverviewPorts) {
    this.#access = access;
    this.#view = view;
    this.#kafka = kafka;
    this.#parts = parts;
    this.#clock = clock;
  }

  get latest(): Overview | null {
    return this.#latest;
  }

  /** Runs until the signal aborts. */
  async follow(signal: AbortSignal, on: (overview: Overview) => void): Promise<void> {
    const asking = this.#kafka.follow(signal);
    while (!signal.aborted) {
      this.#latest = await this.#look();
      on(this.#latest);
      await this.#clock.sleep(PULSE_MS, signal);
    }
    await asking;
  }

  async #look(): Promise<Overview> {
    let problem: string | null = null;
    const note = (error: unknown): null => {
      if (!isFailure(error)) throw error;
      problem ??= error.message;
      return null;
    };
    const consumer = await this.#access.consumerStatus().catch(note);
    const now = this.#clock.elapsed();
    for (const failed of [this.#notAddedAll, this.#notAdded]) if (failed !== null) note(failed);
    if (now >= this.#addAgainAt) void this.#addOnce();
    if (now >= this.#wholeAgainAt) this.#addingAll ??= this.#addAll().finally(() => (this.#addingAll = null));
    // For a large shop it takes longer: meanwhile the previous state is shown.
    const patience = new AbortController();
    await Promise.race([
      Promise.all([this.#adding, this.#addingAll]),
      this.#clock.sleep(PATIENCE_MS, patience.signal),
    ]);
    patience.abort();
    const at = this.#clock.now();
    return {
      at,
      balance: this.#balance,
      balancedAt: this.#balancedAt,
      consumer,
      problem,
      kafka: this.#kafka.latest,
      parts: this.#parts(),
    };
  }

  /** Runs only once at a time: lines that were read twice would count twice. */
  #addOnce(): Promise<void> {
    return (this.#adding ??= this.#add().finally(() => (this.#adding = null)));
  }

  /** Adds the lines since the last time. */
  async #add(): Promise<void> {
    const running = this.#running;
    if (running === null) return;
    const [at, from] = [this.#clock.now(), this.#clock.elapsed()];
    try {
      const kept = await this.#view.lookAtBooks((books) => running.as(books));
      const balance = kept ?? (await this.#inspected(running));
      // All lines were added up from the start in the meantime.
      if (this.#running !== running) return;
      this.#balance = balance;
      this.#balancedAt = at;
      this.#addAgainAt = from + (this.#clock.elapsed() - from) / ADDING_SHARE;
      this.#notAdded = null;
    } catch (error) {
      this.#notAdded = error;
      if (this.#running !== running) return;
      this.#running = null;
      this.#wholeAgainAt = 0;
    }
  }

  /** Adds up all lines from the start, while the current sums stay in use. */
  async #addAll(): Promise<void> {
    const running = new RunningBalance();
    const began = this.#clock.elapsed();
    let tookMs = 0;
    try {
      for (let pass = 0; pass < MOST_PASSES; pass += 1) {
        const passMs = await this.#addPaced(running);
        tookMs += passMs;
        if (passMs <= LITTLE_MS) break;
      }
      this.#running = running;
      this.#notAddedAll = null;
      this.#wholeAgainAt = this.#clock.elapsed() + tookMs / WHOLE_SHARE;
    } catch (error) {
      this.#notAddedAll = error;
      const now = this.#clock.elapsed();
      this.#wholeAgainAt = now + Math.max(RETRY_MS, now - began);
    }
    // A run in progress may still use the previous sums.
    await this.#adding;
    await this.#addOnce();
  }

  /** @returns how long it took, without pauses */
  async #addPaced(running: RunningBalance): Promise<number> {
    let from = this.#clock.elapsed();
    const paced = <T>(chunks: AsyncIterable<T>): AsyncIterable<T> =>
      givingWay(chunks, this.#clock, (ms) => (from += ms));
    await this.#inspected(running, paced);
    return this.#clock.elapsed() - from;
  }

  async #inspected(running: RunningBalance, paced?: Paced): Promise<Balance> {
    await using store = await this.#access.inspect();
    return await running.as(store, paced);
  }
}
