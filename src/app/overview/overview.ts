import type { Balance } from '../../domain/balance.ts';
import { isFailure } from '../../domain/failure.ts';
import type { KeptView, StoreAccess } from '../../ports/access.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RunningConsumer } from '../../ports/owner.ts';
import { RunningBalance, type Paced } from './balance.ts';
import { givingWay } from './give-way.ts';
import type { KafkaWatch, SeenKafka } from './kafka-watch.ts';

const PULSE_MS = 1_000;
/** A look waits so long for the books of now, and shows those before after that. */
const PATIENCE_MS = 300;
/** Adding up may take this part of the time: the larger the shop, the rarer it is. */
const ADDING_SHARE = 0.2;
/** What came while all lines were read is read likewise, until reading it takes no longer than this, or so many times. */
const LITTLE_MS = 50;
const MOST_PASSES = 5;
/** After a failure all lines are read again as soon as that, or after as long as it took. */
const RETRY_MS = 5_000;
/** Likewise adding up the logs from their beginning, which finds out whether what was read has been changed since. */
const WHOLE_SHARE = 0.02;

/** A process of a shop that one program runs. */
export interface ShopPart {
  readonly name: string;
  /** null: it is being started again. */
  readonly pid: number | null;
  /** How its last process ended, until the next one runs steadily; null: nothing happened. */
  readonly problem: string | null;
}

/** What there is to see of a shop at one moment. */
export interface Overview {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly balance: Balance | null;
  /** When it was added up; null: never yet. */
  readonly balancedAt: number | null;
  /** null: none runs. */
  readonly consumer: RunningConsumer | null;
  readonly kafka: SeenKafka;
  /** Of the program that has started this one; null: it was started by hand. */
  readonly parts: readonly ShopPart[] | null;
  /** Why not all is known. */
  readonly problem: string | null;
}

export interface OverviewPorts {
  readonly access: StoreAccess;
  readonly view: KeptView;
  readonly kafka: KafkaWatch;
  readonly parts: () => Overview['parts'];
  readonly clock: Clock;
}

/** Looks at a shop once a second. */
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
  /** Why the last of each has failed, until the next one has not; null: it has not. */
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
    // Of a large shop it takes longer: what was known before is shown meanwhile.
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

  /** Never twice at a time: lines that both read would count twice. */
  #addOnce(): Promise<void> {
    return (this.#adding ??= this.#add().finally(() => (this.#adding = null)));
  }

  /** What came since. */
  async #add(): Promise<void> {
    const running = this.#running;
    if (running === null) return;
    const [at, from] = [this.#clock.now(), this.#clock.elapsed()];
    try {
      const kept = await this.#view.lookAtBooks((books) => running.as(books));
      const balance = kept ?? (await this.#inspected(running));
      // All lines were added up meanwhile.
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

  /** All lines, beside the sums that go on meanwhile. */
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
    // One that is under way may be of the sums before.
    await this.#adding;
    await this.#addOnce();
  }

  /** @returns how long it took, without its rests */
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
