import type { Balance } from '../../domain/balance.ts';
import { isFailure } from '../../domain/failure.ts';
import type { StoreAccess } from '../../ports/access.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RunningConsumer } from '../../ports/owner.ts';
import { RunningBalance } from './balance.ts';
import type { KafkaWatch, SeenKafka } from './kafka-watch.ts';

const PULSE_MS = 1_000;
/** Adding up may take this part of the time: the larger the shop, the rarer it is. */
const ADDING_SHARE = 0.2;
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
  readonly kafka: KafkaWatch;
  readonly parts: () => Overview['parts'];
  readonly clock: Clock;
}

/** Looks at a shop once a second. */
export class OverviewWatch {
  readonly #access: StoreAccess;
  readonly #kafka: KafkaWatch;
  readonly #parts: OverviewPorts['parts'];
  readonly #clock: Clock;
  #running = new RunningBalance();
  #wholeAgainAt = 0;
  #balance: Balance | null = null;
  #balancedAt: number | null = null;
  #addAgainAt = 0;
  #latest: Overview | null = null;

  constructor({ access, kafka, parts, clock }: OverviewPorts) {
    this.#access = access;
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
    if (this.#clock.elapsed() >= this.#addAgainAt) await this.#add().catch(note);
    const at = this.#clock.now();
    return {
      ...{ at, balance: this.#balance, balancedAt: this.#balancedAt, consumer, problem },
      ...{ kafka: this.#kafka.latest, parts: this.#parts() },
    };
  }

  async #add(): Promise<void> {
    const [at, from] = [this.#clock.now(), this.#clock.elapsed()];
    const isWhole = from >= this.#wholeAgainAt;
    await using store = await this.#access.inspect();
    if (isWhole) this.#running = new RunningBalance();
    this.#balance = await this.#running.as(store);
    this.#balancedAt = at;
    const tookMs = this.#clock.elapsed() - from;
    this.#addAgainAt = from + tookMs / ADDING_SHARE;
    if (isWhole) this.#wholeAgainAt = from + tookMs / WHOLE_SHARE;
  }
}
