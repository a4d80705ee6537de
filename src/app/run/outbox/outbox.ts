import type { Destination, Store } from '../../../ports/store.ts';
import { Lane, type LaneParts } from './lane.ts';

/** So many are worth a send of their own, though more batches are at hand. */
const SEND_FROM = 1_000;
/** The longest that fewer wait to be sent together. */
const LONGEST_HOLD_MS = 250;
/** From so many on, the next batch waits for them: a sender that is behind slows down what it has to send. */
const WAIT_FROM = 10_000;
/** The longest that a batch waits: a destination that does not answer holds up what is for it, and no decision. */
const LONGEST_SEND_MS = 250;

/** All that waits to be sent, to whatever destination. */
export function unsentOf(store: Store): number {
  let count = 0;
  for (const waiting of store.unsent().values()) count += waiting;
  return count;
}

/** Sends what commits have left to be sent, beside the batches that come after, to each destination by itself. */
export class Outbox {
  readonly #parts: LaneParts;
  readonly #lanes = new Map<Destination, Lane>();
  /** Ends the wait of those that are held back to go with more. */
  #hold: AbortController | undefined;
  #stoppedAt: number | null = null;

  constructor(parts: LaneParts) {
    this.#parts = parts;
    const { signal } = parts.stop;
    const onStop = (): void => void (this.#stoppedAt ??= parts.clock.elapsed());
    // For all lanes: Node warns of a signal that has many listeners.
    signal.addEventListener('abort', onStop, { once: true });
    if (signal.aborted) onStop();
  }

  hasUnsentTo(destinations: readonly Destination[]): boolean {
    const unsent = this.#parts.store.unsent();
    return destinations.some((destination) => unsent.has(destination));
  }

  /** How often something was sent to any of these. */
  sendsTo(destinations: readonly Destination[]): number {
    return destinations.reduce((sum, destination) => sum + (this.#lanes.get(destination)?.sends ?? 0), 0);
  }

  /**
   * While more is at hand, what is to be sent goes together: each time costs a round to the brokers and a commit.
   *
   * @param isMoreAtHand whether the next batch is there already
   */
  async sendAfterBatch(isMoreAtHand: boolean): Promise<void> {
    const waiting = this.#waiting();
    if (waiting === 0) return;
    // Whatever is committed is sent soon in any case.
    if (isMoreAtHand && waiting < SEND_FROM) return;
    this.#begin();
    if (!isMoreAtHand || waiting >= WAIT_FROM) await this.#wait();
  }

  /** Begins to send what a crash left behind. Decisions wait no longer for that than for what they cause themselves. */
  async begin(): Promise<void> {
    this.#begin();
    await this.#wait();
  }

  /** Sends within a quarter of a second, with what comes until then: what is at hand may never come. */
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

  /** Sends all that is waiting to be sent. After a stop, what can be sent in a few seconds. */
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
      // Its failure ends the run, and comes back when it is asked again.
      lane.send().catch(() => undefined);
    }
  }

  /** How many wait for destinations that answer: of the others there may be any number, for any time. */
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

/** It has not answered for so long that nothing waits for it. */
function isSilent(lane: Lane | undefined, now: number): boolean {
  const since = lane?.busySince ?? null;
  return since !== null && now - since >= LONGEST_SEND_MS;
}
