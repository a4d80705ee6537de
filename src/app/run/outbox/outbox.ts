import type { Destination, Store } from '../../../ports/store.ts';
import { Lane, type LaneParts } from './lane.ts';

/** This many messages are worth a send of their own, even when more batches are at hand. */
const SEND_FROM = 1_000;
/** The longest time that fewer messages wait to be sent together. */
const LONGEST_HOLD_MS = 250;
/** From this many messages, the next batch waits for them: an outbox that falls behind slows down reading. */
const WAIT_FROM = 10_000;
/** The longest time that a batch waits: a destination that does not answer delays its own messages, not decisions. */
const LONGEST_SEND_MS = 250;

/** The number of unsent messages, over all destinations. */
export function unsentOf(store: Store): number {
  let count = 0;
  for (const waiting of store.unsent().values()) count += waiting;
  return count;
}

/** Sends the messages of commits while the next batches are processed, to each destination independently. */
export class Outbox {
  readonly #parts: LaneParts;
  readonly #lanes = new Map<Destination, Lane>();
  /** Ends the delay of messages that wait to be sent together with more. */
  #hold: AbortController | undefined;
  #stoppedAt: number | null = null;

  constructor(parts: LaneParts) {
    this.#parts = parts;
    const { signal } = parts.stop;
    const onStop = (): void => void (this.#stoppedAt ??= parts.clock.elapsed());
    // One listener for all lanes: Node warns about a signal with many listeners.
    signal.addEventListener('abort', onStop, { once: true });
    if (signal.aborted) onStop();
  }

  hasUnsentTo(destinations: readonly Destination[]): boolean {
    const unsent = this.#parts.store.unsent();
    return destinations.some((destination) => unsent.has(destination));
  }

  /** How many sends to these destinations have succeeded. */
  sendsTo(destinations: readonly Destination[]): number {
    return destinations.reduce((sum, destination) => sum + (this.#lanes.get(destination)?.sends ?? 0), 0);
  }

  /**
   * While more batches are at hand, messages are sent together: each send costs a round trip to the brokers and a
   * commit.
   *
   * @param isMoreAtHand whether the next batch has arrived already
   */
  async sendAfterBatch(isMoreAtHand: boolean): Promise<void> {
    const waiting = this.#waiting();
    if (waiting === 0) return;
    // Everything that is committed is sent soon in any case.
    if (isMoreAtHand && waiting < SEND_FROM) return;
    this.#begin();
    if (!isMoreAtHand || waiting >= WAIT_FROM) await this.#wait();
  }

  /** Starts to send what a crash left behind. Batches wait for that no longer than for their own messages. */
  async begin(): Promise<void> {
    this.#begin();
    await this.#wait();
  }

  /**
   * Sends within a quarter of a second, with the messages added until then: the batch at hand may never be processed.
   */
  sendSoon(): void {
    const { store, stop, clock } = this.#parts;
    if (this.#hold !== undefined || stop.signal.aborted || store.unsent().size === 0) return;
    const hold = new AbortController();
    this.#hold = hold;
    void clock.sleep(LONGEST_HOLD_MS, hold.signal).then(() => {
      if (hold.signal.aborted) return;
      this.#hold = undefined;
      this.#begin();
    });
  }

  /** Sends all waiting messages; after a stop, those that can be sent in a few seconds. */
  async drain(): Promise<void> {
    this.#release();
    this.#begin();
    await Promise.all(
      [...this.#lanes.values()].flatMap((lane) => (lane.busySince === null ? [] : lane.send())),
    );
  }

  async close(): Promise<void> {
    this.#release();
    for (const lane of this.#lanes.values()) await lane.close();
  }

  #begin(): void {
    for (const destination of this.#parts.store.unsent().keys()) {
      let lane = this.#lanes.get(destination);
      if (lane === undefined)
        this.#lanes.set(destination, (lane = new Lane(destination, this.#parts, () => this.#stoppedAt)));
      // A failure ends the run, and the next call returns it.
      lane.send().catch(() => undefined);
    }
  }

  /** How many messages wait for destinations that answer: for the others there may be any number, for any time. */
  #waiting(): number {
    const { store, clock } = this.#parts;
    const now = clock.elapsed();
    let count = 0;
    for (const [destination, waiting] of store.unsent()) {
      if (!isSilent(this.#lanes.get(destination), now)) count += waiting;
    }
    return count;
  }

  async #wait(): Promise<void> {
    const { clock } = this.#parts;
    const now = clock.elapsed();
    const awaited = [...this.#lanes.values()].filter(
      (lane) => lane.busySince !== null && !isSilent(lane, now),
    );
    if (awaited.length === 0) return;
    const sent = new AbortController();
    const all = Promise.all(awaited.map((lane) => lane.send())).finally(() => sent.abort());
    await Promise.race([all, clock.sleep(LONGEST_SEND_MS, sent.signal)]);
  }

  #release(): void {
    this.#hold?.abort();
    this.#hold = undefined;
  }
}

/** Whether the destination has not answered for so long that batches do not wait for it. */
function isSilent(lane: Lane | undefined, now: number): boolean {
  const since = lane?.busySince ?? null;
  return since !== null && now - since >= LONGEST_SEND_MS;
}
