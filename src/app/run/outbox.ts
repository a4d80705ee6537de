import { byTopic } from '../../domain/by-topic.ts';
import type { Broker, Producer } from '../../ports/broker.ts';
import type { Outgoing, Store } from '../../ports/store.ts';
import type { RunEvent } from './events.ts';
import { isBounded, untilAvailable, waitOf, type Waiting } from './wait.ts';

export interface OutboxParts extends Waiting {
  readonly store: Store;
  readonly broker: Broker;
  /** Aborted when sending fails for good. */
  readonly stop: AbortController;
  readonly options: Waiting['options'] & {
    readonly on: (event: Extract<RunEvent<never, never>, { kind: 'undelivered' }>) => void;
  };
}

/** The most dead letters that may wait while more batches are at hand. */
const MOST_UNSENT = 1_000;
/** The longest that they wait to be sent together. */
const LONGEST_HOLD_MS = 250;
/** The longest that the next batch waits for them: a leader that does not answer holds up its partitions, not decisions. */
const LONGEST_SEND_MS = 250;

/** Sends what commits have left to be sent, beside the batches that come after. */
export class Outbox {
  readonly #parts: OutboxParts;
  #producer: Producer | undefined;
  /** What became of those that a failed sending left unsent with the others: they do not go again. */
  readonly #settled = new WeakMap<Outgoing, 'sent' | 'refused'>();
  /** Under way, or failed. */
  #sending: Promise<void> | undefined;
  /** Ends the wait of those that are held back to go with more. */
  #hold: AbortController | undefined;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
  }

  /**
   * While more is at hand, what is to be sent goes together: each time costs a round to the brokers and a commit.
   *
   * @param isMoreAtHand whether the next batch is there already
   */
  async sendAfterBatch(isMoreAtHand: boolean): Promise<void> {
    const { store } = this.#parts;
    const isFull = store.unsent() >= MOST_UNSENT;
    if (isMoreAtHand && !isFull) {
      this.#sendSoon();
      return;
    }
    const sending = this.#send();
    if (isFull) return sending;
    await this.#sendFor(sending);
  }

  async #sendFor(sending: Promise<void>): Promise<void> {
    const { clock } = this.#parts;
    // A run that ends by itself may have come to its end.
    if (isBounded(this.#parts.options)) return sending;
    const sent = new AbortController();
    await Promise.race([sending.finally(() => sent.abort()), clock.sleep(LONGEST_SEND_MS, sent.signal)]);
  }

  /** Begins to send what a crash left behind. Decisions wait no longer for that than for what they cause themselves. */
  async begin(): Promise<void> {
    await this.#sendFor(this.#send());
  }

  /** Sends what is waiting to be sent, if anything. */
  async drain(): Promise<void> {
    this.#release();
    // What was added since the last sending began is not part of it.
    await this.#sending;
    await this.#send();
  }

  /** Begins to send, or returns the sending that is under way. One that fails ends the run, and is returned from then on. */
  #send(): Promise<void> {
    if (this.#sending !== undefined) return this.#sending;
    if (this.#parts.store.unsent() === 0) return Promise.resolve();
    const sending = this.#sendAll().then(() => {
      this.#sending = undefined;
      this.#sendSoon();
    });
    sending.catch(() => this.#parts.stop.abort());
    this.#sending = sending;
    return sending;
  }

  /** Sends what is held back or came while others were sent, though no batch follows: what was at hand may never come. */
  #sendSoon(): void {
    const { store, stop, clock } = this.#parts;
    if (this.#hold !== undefined || stop.signal.aborted || store.unsent() === 0) return;
    const hold = new AbortController();
    this.#hold = hold;
    void clock.sleep(LONGEST_HOLD_MS, hold.signal).then(() => {
      if (hold.signal.aborted) return;
      this.#hold = undefined;
      void this.#send();
    });
  }

  #release(): void {
    this.#hold?.abort();
    this.#hold = undefined;
  }

  async #sendAll(): Promise<void> {
    const { store, options, stop } = this.#parts;
    await untilAvailable(
      () =>
        store.drain(async (records) => {
          this.#producer ??= await this.#parts.broker.producer();
          const refused = await this.#sendOutgoing(this.#producer, records, stop.signal);
          for (const { id, topic } of refused) options.on({ kind: 'undelivered', id, topic });
          return refused;
        }),
      waitOf(this.#parts, 'broker'),
    );
  }

  /** Sends what is not settled yet. @returns what the broker refuses for good. @throws when any may not have gone */
  async #sendOutgoing(
    producer: Producer,
    records: readonly Outgoing[],
    signal: AbortSignal,
  ): Promise<Outgoing[]> {
    const settled = this.#settled;
    for (const [topic, group] of byTopic(records.filter((record) => !settled.has(record)))) {
      const { outcomes, failure } = await producer.send(topic, group, { signal });
      group.forEach((record, i) => {
        const outcome = outcomes[i];
        if (typeof outcome === 'object') settled.set(record, 'sent');
        else if (outcome === 'too_large' || outcome === 'refused') settled.set(record, 'refused');
      });
      if (failure !== null) throw failure;
    }
    return records.filter((record) => settled.get(record) === 'refused');
  }

  async close(): Promise<void> {
    this.#release();
    await this.#producer?.[Symbol.asyncDispose]();
    this.#producer = undefined;
  }
}
