import { byTopic } from '../../../domain/topics/by-topic.ts';
import type { ConsumerEvent, RunOptions } from '../../../ports/broker.ts';
import { isFailure, type Failure } from '../../../domain/failure.ts';
import { LONGEST_PAUSE_MS } from '../protocol/client.ts';
import { interruptible } from '../protocol/race.ts';
import { unreachable } from '../protocol/errors.ts';
import type { HeldBack, Owed } from './slots.ts';

const TICK_MS = 250;
/** A wait is reported after this long, and again each time this time has passed. */
const REPORT_EVERY_MS = 30_000;
/** How long one attempt at the first join continues while the brokers do not answer. */
const JOIN_TRY_MS = 5_000;
/** In a report, answers pending for less than this are left out. */
const NAMED_FROM_MS = 5_000;

/**
 * An answer takes half a second when there is nothing to read: after this time, the consumer's state shows the
 * silence.
 */
const SILENT_FROM_MS = 2_000;

/** Most producers' transactions have ended by then. */
const HELD_BACK_FROM_MS = 10_000;

export interface WatchOptions {
  readonly addresses: string;
  /** `host:port` of a node, if known. */
  readonly addressOf: (nodeId: number) => string | undefined;
  readonly stallTimeoutMs: number | null;
  /** The partitions whose answers are pending. */
  readonly owed: () => readonly Owed[];
  readonly heldBack: () => readonly HeldBack[];
  readonly onEvent: (event: ConsumerEvent) => void;
  readonly onStalled: (failure: Failure) => void;
}

/** Ensures that the consumer is never alive and idle without reporting it. */
export class Watch {
  readonly #options: WatchOptions;
  #timer: NodeJS.Timeout | undefined;
  #reported = 0;
  #isSilent = false;
  #heldBackReportedAt = -Infinity;

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
    // A run that ends by itself leaves these records unread, however short it lasts.
    if (this.#options.stallTimeoutMs !== null) this.#reportHeldBack(0);
  }

  /** @param fromMs the least time that a range was held back */
  #reportHeldBack(fromMs: number): void {
    const { heldBack, onEvent } = this.#options;
    const now = performance.now();
    if (now - this.#heldBackReportedAt < REPORT_EVERY_MS) return;
    const ranges = heldBack()
      .filter(({ since }) => now - since >= fromMs)
      .map(({ topic, partition, from, to }) => ({ topic, partition, from, to }));
    if (ranges.length === 0) return;
    this.#heldBackReportedAt = now;
    onEvent({ kind: 'held_back', ranges });
  }

  #tick(): void {
    const { addresses, stallTimeoutMs, owed, onEvent, onStalled } = this.#options;
    const now = performance.now();
    const all = owed();
    const forMs = all.reduce((longest, { since }) => Math.max(longest, now - since), 0);
    const late = all.filter(({ since }) => now - since >= Math.min(forMs, NAMED_FROM_MS));
    if (stallTimeoutMs !== null && forMs >= stallTimeoutMs) {
      this.stop();
      onStalled(unreachable(addresses, `${this.#describe(late)} for ${Math.round(forMs / 1000)} s`));
      return;
    }
    const isSilent = forMs >= SILENT_FROM_MS;
    if (isSilent !== this.#isSilent) {
      this.#isSilent = isSilent;
      onEvent({ kind: isSilent ? 'silent' : 'answered' });
    }
    this.#reportHeldBack(HELD_BACK_FROM_MS);
    const periods = Math.floor(forMs / REPORT_EVERY_MS);
    if (periods > this.#reported) {
      this.#reported = periods;
      onEvent({ kind: 'waiting', forMs: Math.round(forMs), message: this.#describe(late) });
    } else if (periods === 0 && this.#reported > 0) {
      this.#reported = 0;
      onEvent({ kind: 'resumed' });
    }
  }

  #describe(late: readonly Owed[]): string {
    return [...byTopic(late)]
      .map(([topic, owed]) => `${this.#describeOf(owed)} of topic ${topic}`)
      .join(', ');
  }

  /** `no answer from 127.0.0.1:9093 for partitions 1, 4 and no leader for partition 2`. */
  #describeOf(late: readonly Owed[]): string {
    const { addresses, addressOf } = this.#options;
    const byNode = new Map<number | null, number[]>();
    for (const { nodeId, partition } of late) byNode.set(nodeId, [...(byNode.get(nodeId) ?? []), partition]);
    const parts = [...byNode].map(([nodeId, partitions]) => {
      const which = `${partitions.length === 1 ? 'partition' : 'partitions'} ${partitions.sort(ascending).join(', ')}`;
      if (nodeId === null) return `no leader for ${which}`;
      return `no answer from ${addressOf(nodeId) ?? addresses} for ${which}`;
    });
    return parts.join(' and ');
  }
}

function ascending(a: number, b: number): number {
  return a - b;
}

/**
 * Joins for the first time. Brokers that fail after they have answered once are waited for, as they are later.
 *
 * @param join one attempt, given how long to try while the brokers do not answer
 * @throws Failure see Consumer.run
 */
export async function joinWhenThere(
  join: (timeoutMs: number) => Promise<void>,
  { stallTimeoutMs, signal, onEvent }: Pick<RunOptions, 'stallTimeoutMs' | 'signal' | 'onEvent'>,
): Promise<void> {
  const startedAt = performance.now();
  for (let reported = -1; ;) {
    const leftMs = stallTimeoutMs === null ? Infinity : startedAt + stallTimeoutMs - performance.now();
    try {
      await interruptible(join(Math.min(JOIN_TRY_MS, leftMs)), signal);
      if (reported >= 0) onEvent({ kind: 'answered' });
      if (reported > 0) onEvent({ kind: 'resumed' });
      return;
    } catch (error) {
      if (!isFailure(error, 'broker_unreachable')) throw error;
      const forMs = performance.now() - startedAt;
      // An attempt ends up to one pause before its time.
      if (stallTimeoutMs !== null && forMs + LONGEST_PAUSE_MS >= stallTimeoutMs) throw error;
      if (reported < 0) onEvent({ kind: 'silent' });
      const periods = Math.floor(forMs / REPORT_EVERY_MS);
      if (periods > Math.max(0, reported))
        onEvent({ kind: 'waiting', forMs: Math.round(forMs), message: error.message });
      reported = periods;
    }
  }
}
