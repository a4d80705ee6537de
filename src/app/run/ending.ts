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
  /** The topics of messages that this run both sends and reads. */
  readonly between: ReadonlySet<string>;
  /** The same by their names in the catalogue. */
  readonly destinations: readonly Destination[];
  /** Called once everything is done. */
  readonly onEnd: () => void;
  readonly onFailure: (error: unknown) => void;
}

/**
 * Finds out when a run that ends by itself has come to its end: all is read, no effect is due, and what the processors
 * sent to each other meanwhile is read too.
 */
export class Ending {
  readonly #parts: EndingParts;
  #isLooking = false;
  #hasEnded = false;

  constructor(parts: EndingParts) {
    this.#parts = parts;
  }

  /** To be called after each thing that may have been the last. */
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

  /** @returns whether sending what waits led to nothing new */
  async #settle(): Promise<boolean> {
    const { outbox, waits, between, destinations } = this.#parts;
    await outbox.drain();
    await waits.untilAvailable(['others'], () => this.#refuseUnsentElsewhere());
    if (between.size === 0) return this.#isNear();
    const sends = outbox.sendsTo(destinations);
    await waits.untilAvailable(['broker'], () => this.#raise());
    // What was read meanwhile may have led to messages that are in no topic yet, or that came after its end was
    // determined.
    return this.#isNear() && !outbox.hasUnsentTo(destinations) && outbox.sendsTo(destinations) === sends;
  }

  /** @throws Failure store_unreachable */
  async #refuseUnsentElsewhere(): Promise<void> {
    const count = await this.#parts.store.unsentElsewhere();
    if (count === 0) return;
    throw new Failure(
      'store_unreachable',
      `${count} ${count === 1 ? 'message waits' : 'messages wait'} for another process of this store to send them`,
      {
        fix: 'start that process again, or run this again: what it had taken is free a few seconds after its end',
      },
    );
  }

  async #raise(): Promise<void> {
    const { readings, broker, between } = this.#parts;
    await using admin = await broker.admin();
    for (const reading of readings) await reading.raise(admin, between);
  }
}
