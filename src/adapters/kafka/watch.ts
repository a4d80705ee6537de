import type { ConsumerEvent } from '../../ports/broker.ts';
import type { Failure } from '../../domain/failure.ts';
import { unreachable } from './errors.ts';

const TICK_MS = 250;
/** A wait is told of after that long, and again each time it has passed. */
const TELL_EVERY_MS = 30_000;

export interface WatchOptions {
  readonly addresses: string;
  readonly topic: string;
  readonly stallTimeoutMs: number | null;
  /** Since when an answer is owed, and for which partitions; for the topic as a whole when there are none. */
  readonly overdue: () => { since: number; partitions: number[] } | undefined;
  readonly onEvent: (event: ConsumerEvent) => void;
  readonly onStalled: (failure: Failure) => void;
}

/** Sees to it that the consumer is never alive and idle without saying so. */
export class Watch {
  readonly #options: WatchOptions;
  #timer: NodeJS.Timeout | undefined;
  #told = 0;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#tick();
    }, TICK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const { addresses, topic, stallTimeoutMs, overdue, onEvent, onStalled } = this.#options;
    const owed = overdue();
    const forMs = owed === undefined ? 0 : Date.now() - owed.since;
    if (stallTimeoutMs !== null && forMs >= stallTimeoutMs) {
      this.stop();
      onStalled(unreachable(addresses, `nothing came of topic ${topic} for ${Math.round(forMs / 1000)} s`));
      return;
    }
    const periods = Math.floor(forMs / TELL_EVERY_MS);
    if (periods > this.#told) {
      this.#told = periods;
      const partitions = owed?.partitions ?? [];
      const which = partitions.length === 0 ? '' : `partitions ${partitions.join(', ')} of `;
      onEvent({
        kind: 'waiting',
        forMs,
        message: `no answer from ${addresses} for ${which}topic ${topic}`,
      });
    } else if (periods === 0 && this.#told > 0) {
      this.#told = 0;
      onEvent({ kind: 'resumed' });
    }
  }
}
