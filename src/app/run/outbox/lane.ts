import { Failure, isFailure } from '../../../domain/failure.ts';
import { byTopic } from '../../../domain/topics/by-topic.ts';
import type { Producer } from '../../../ports/broker.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Destination, Outgoing, OutgoingRecord, Store } from '../../../ports/store.ts';
import { makeAgain, type MissingTopicParts } from './missing-topic.ts';
import { keptRecord, toRecords, type EncodingParts, type Prepared } from './outgoing-records.ts';
import type { RunEvent } from '../events.ts';
import type { Waits } from '../wait.ts';

export interface LaneParts extends Omit<EncodingParts, 'storeId'>, Omit<MissingTopicParts, 'on'> {
  readonly store: Store;
  readonly clock: Clock;
  readonly waits: Waits;
  readonly on: (event: Extract<RunEvent, { kind: 'undelivered' | 'topic_created' | 'topic_gone' }>) => void;
  /** Aborted to stop the run, also when sending fails for good. */
  readonly stop: AbortController;
}

/** No new send starts this long after a stop. */
const STOPPED_AFTER_MS = 4_000;
/** How often to check whether a deleted topic exists again. */
const LOOK_EVERY_MS = 1_000;

/** Sends the messages for one destination, independently of all other destinations: each has its own producer. */
export class Lane {
  readonly #destination: Destination;
  readonly #parts: LaneParts;
  #producer: Producer | undefined;
  /** The outcome of messages in a send that failed as a whole: they are not sent again. */
  readonly #settled = new Map<Outgoing, 'sent' | OutgoingRecord>();
  /** The send that is running or has failed. */
  #sending: Promise<void> | undefined;
  /** When the last send started. */
  #begunAt = 0;
  readonly #stoppedAt: () => number | null;
  /** How many sends have succeeded. */
  sends = 0;

  /** @param stoppedAt when the run was stopped, as in Clock.elapsed; null: it was not */
  constructor(destination: Destination, parts: LaneParts, stoppedAt: () => number | null) {
    this.#destination = destination;
    this.#parts = parts;
    this.#stoppedAt = stoppedAt;
  }

  /** Since when it waits for an answer, as in Clock.elapsed; null when nothing is being sent. */
  get busySince(): number | null {
    return this.#sending === undefined ? null : this.#begunAt;
  }

  /**
   * Starts to send, or returns the send that is running. It ends when nothing is left, or after a stop. A send that
   * fails ends the run, and all later calls return it.
   */
  send(): Promise<void> {
    if (this.#sending !== undefined) return this.#sending;
    const sending = this.#sendAll().then(() => {
      this.#sending = undefined;
    });
    sending.catch(() => this.#parts.stop.abort());
    this.#sending = sending;
    return sending;
  }

  async #sendAll(): Promise<void> {
    const { store, waits, clock, stop } = this.#parts;
    let goneSince: number | null = null;
    while (store.unsent().has(this.#destination)) {
      const now = clock.elapsed();
      const stoppedAt = this.#stoppedAt();
      if (stoppedAt !== null && now - stoppedAt > STOPPED_AFTER_MS) return;
      // While its topic or schema is missing, the lane counts as busy throughout: batches must not wait for each retry.
      if (goneSince === null) this.#begunAt = now;
      const gone = await waits.untilAvailable(['broker', 'registry'], () => this.#drain());
      if (gone === undefined) return;
      if (gone === null) {
        this.sends += 1;
        goneSince = null;
        continue;
      }
      if (stop.signal.aborted) return;
      if (goneSince === null) this.#parts.on({ kind: 'topic_gone', failure: gone });
      goneSince ??= now;
      if (waits.limitMs !== null && now - goneSince >= waits.limitMs) throw gone;
      await clock.sleep(LOOK_EVERY_MS, stop.signal);
    }
  }

  /**
   * @returns why nothing could be sent: the topic was deleted and not recreated, or its schema is not registered and
   *   must not be; null when the messages were sent or can be sent now
   */
  async #drain(): Promise<Failure | null> {
    try {
      await this.#parts.store.drain(this.#destination, (unsent) => this.#sendUnsettled(unsent));
      return null;
    } catch (error) {
      if (isFailure(error, 'not_found') && hasNoSchema(error)) return error;
      if (!isFailure(error, 'topic_missing') || error.context.topic === undefined) throw error;
      return (await makeAgain(error.context.topic, this.#parts)) ? null : error;
    }
  }

  /** @returns what is permanently refused @throws when any record may not have arrived */
  async #sendUnsettled(unsent: readonly Outgoing[]): Promise<readonly OutgoingRecord[]> {
    const { names, group, codecOf, store, on } = this.#parts;
    const settled = this.#settled;
    const left = settled.size === 0 ? unsent : unsent.filter((one) => !settled.has(one));
    const prepared = await toRecords(left, { names, group, codecOf, storeId: store.storeId });
    for (const one of prepared) if (!one.canBeSent) settled.set(one.of, keptRecord(one));
    await this.#send(prepared.filter(({ canBeSent }) => canBeSent));
    const refused: OutgoingRecord[] = [];
    for (const one of settled.size === 0 ? [] : unsent) {
      const fate = settled.get(one);
      if (typeof fate === 'object') refused.push(fate);
    }
    for (const { id, topic } of refused) on({ kind: 'undelivered', id, topic });
    settled.clear();
    return refused;
  }

  async #send(prepared: readonly Prepared[]): Promise<void> {
    this.#producer ??= await this.#parts.broker.producer();
    const { signal } = this.#parts.stop;
    const sent: Outgoing[] = [];
    for (const [topic, group] of byTopic(prepared)) {
      const records = group.map(({ record }) => record);
      const { outcomes, failure } = await this.#producer.send(topic, records, { signal, isCommitted: true });
      group.forEach((one, at) => {
        const outcome = outcomes[at];
        if (typeof outcome === 'object') sent.push(one.of);
        else if (outcome === 'too_large' || outcome === 'refused') this.#settled.set(one.of, keptRecord(one));
      });
      if (failure === null) continue;
      for (const of of sent) this.#settled.set(of, 'sent');
      throw isFailure(failure, 'not_found') ? topicGone(topic, failure) : failure;
    }
  }

  async close(): Promise<void> {
    await this.#producer?.[Symbol.asyncDispose]();
    this.#producer = undefined;
  }
}

function hasNoSchema({ fix }: Failure): boolean {
  return typeof fix === 'object' && fix?.kind === 'register_schema';
}

function topicGone(topic: string, cause: Failure): Failure {
  return new Failure('topic_missing', `topic ${topic} does not exist, and messages for it are waiting`, {
    fix: { kind: 'make_topic', topic },
    context: { topic },
    cause,
  });
}
