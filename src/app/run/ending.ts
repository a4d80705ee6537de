import type { Broker } from '../../ports/broker.ts';
import { Failure } from '../../domain/failure.ts';
import type { Destination, Store } from '../../ports/store.ts';
import type { EffectWorkers } from './effect-workers.ts';
import type { Outbox } from './outbox/outbox.ts';
import type { Reading } from './reading.ts';
import type { Waits } from './wait.ts';

export interface EndingParts {
  readonly readings: readonly Reading[];
  readonly outbox: Outbox;
  readonly effects: EffectWorkers;
  readonly broker: Broker;
  readonly waits: Waits;
  readonly store: Store;
  /** The topics that this run both sends to and reads. */
  readonly between: ReadonlySet<string>;
  /** The same topics by their names in the catalogue. */
  readonly destinations: readonly Destination[];
  /** Called once, when everything is done. */
  readonly onEnd: () => void;
  readonly onFailure: (error: unknown) => void;
}

/**
 * Detects when a run to the end is finished: everything is read, no effect is due, and the messages that the processors
 * sent to each other meanwhile are read too.
 */
export class Ending {
  readonly #parts: EndingParts;
  #isLooking = false;
  #hasEnded = false;

  constructor(parts: EndingParts) {
    this.#parts = parts;
  }

  /** Checks whether the run is finished. To be called after each step that may have been the last. */
  look(): void {
    if (!this.#isNear() || this.#isLooking || this.#hasEnded) return;
    if (this.#parts.between.size === 0 && !this.#parts.store.isShared) {
      this.#end();
      return;
    }
    this.#isLooking = true;
    this.#settle().then(
      (isOver) => {
        this.#isLooking = false;
        if (isOver) this.#end();
        else this.look();
      },
      (error: unknown) => this.#parts.onFailure(error),
    );
  }

  #end(): void {
    this.#hasEnded = true;
    this.#parts.onEnd();
  }

  #isNear(): boolean {
    const { readings, effects } = this.#parts;
    return readings.every(({ atEnd }) => atEnd) && effects.isIdle;
  }

  /** @returns whether sending the waiting messages led to nothing new */
  async #settle(): Promise<boolean> {
    const { outbox, waits, between, destinations } = this.#parts;
    await outbox.drain();
    await waits.untilAvailable(['others'], () => this.#refuseUnsentElsewhere());
    if (between.size === 0) return this.#isNear();
    const sends = outbox.sendsTo(destinations);
    await waits.untilAvailable(['broker'], () => this.#raise());
    // Records read meanwhile may have led to messages that are not in a topic yet, or that arrived there after its end
    // was determined.
    return this.#isNear() && !outbox.hasUnsentTo(destinations) && outbox.sendsTo(destinations) === sends;
  }

  /** @throws Failure store_unreachable */
  async #refuseUnsentElsewhere(): Promise<void> {
    const count = await this.#parts.store.unsentElsewhere();
    if (count === 0) return;
    throw new Failure(
      'store_unreachable',
      `${count} ${count === 1 ? 'message waits' : 'messages wait'} to be sent by another process of this store`,
      {
        fix: 'restart that process, or run this again: messages that it had claimed are released a few seconds after it ends',
      },
    );
  }

  async #raise(): Promise<void> {
    const { readings, broker, between } = this.#parts;
    await using admin = await broker.admin();
    for (const reading of readings) await reading.raise(admin, between);
  }
}
