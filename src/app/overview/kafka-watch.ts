import { isFailure } from '../../domain/failure.ts';
import type { Broker, BrokerAdmin } from '../../ports/broker.ts';
import { recordsIn } from '../dlq/list.ts';
import type { Clock } from '../../ports/clock.ts';

const LOOK_EVERY_MS = 2_000;

/** The state of the brokers, as this process sees it. */
export interface SeenKafka {
  readonly brokers: string;
  /** Whether they answered the last request; null: none was made yet. */
  readonly answers: boolean | null;
  /** The number of records in the dead-letter topics, whatever their state; null: unknown. */
  readonly deadLetters: number | null;
}

/** Queries the brokers every two seconds, over one connection. */
export class KafkaWatch {
  readonly #broker: Broker;
  readonly #topics: readonly string[];
  readonly #clock: Clock;
  #admin: BrokerAdmin | null = null;
  #latest: SeenKafka;

  /** @param topics the dead-letter topics */
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
