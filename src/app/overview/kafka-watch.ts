import { isFailure } from '../../domain/failure.ts';
import type { Broker, BrokerAdmin } from '../../ports/broker.ts';
import { recordsIn } from '../dlq/list.ts';
import type { Clock } from '../../ports/clock.ts';

const LOOK_EVERY_MS = 2_000;

/** What the brokers say, as this process sees them. */
export interface SeenKafka {
  readonly brokers: string;
  /** Whether they answered when they were asked last; null: not asked yet. */
  readonly answers: boolean | null;
  /** Records in the topics of dead letters, whatever was done with them since; null: not known. */
  readonly deadLetters: number | null;
}

/** Asks the brokers every two seconds, by one connection. */
export class KafkaWatch {
  readonly #broker: Broker;
  readonly #topics: readonly string[];
  readonly #clock: Clock;
  #admin: BrokerAdmin | null = null;
  #latest: SeenKafka;

  /** @param topics of dead letters */
  constructor(broker: Broker, topics: readonly string[], clock: Clock) {
    this.#broker = broker;
    this.#topics = topics;
    this.#clock = clock;
    this.#latest = { brokers: broker.addresses, answers: null, deadLetters: null };
  }

  get latest(): SeenKafka {
    return this.#latest;
  }

  /** Runs until the signal aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) {
        await this.#look();
        await this.#clock.sleep(LOOK_EVERY_MS, signal);
      }
    } finally {
      await this.#leave();
    }
  }

  async #look(): Promise<void> {
    try {
      this.#admin ??= await this.#broker.admin();
      let deadLetters = 0;
      for (const count of (await recordsIn(this.#admin, this.#topics)).values()) deadLetters += count;
      this.#latest = { ...this.#latest, answers: true, deadLetters };
    } catch (error) {
      if (!isFailure(error)) throw error;
      this.#latest = { ...this.#latest, answers: false };
      await this.#leave();
    }
  }

  async #leave(): Promise<void> {
    const admin = this.#admin;
    this.#admin = null;
    await admin?.[Symbol.asyncDispose]();
  }
}
