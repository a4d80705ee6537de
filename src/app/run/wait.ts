import { isFailure, type FailureCode } from '../../domain/failure.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Awaited } from '../../ports/owner.ts';
import type { RunOptions, WaitEvent } from './events.ts';

/** How often a wait is reported. */
const WARN_EVERY_MS = 30_000;
/** How long a bounded run waits for a service that answered before. */
const BOUNDED_WAIT_MS = 60_000;
const RETRY_EVERY_MS = 1_000;

const FAILURES: Readonly<Record<Awaited, FailureCode>> = {
  broker: 'broker_unreachable',
  registry: 'registry_unreachable',
  store: 'store_unreachable',
  others: 'store_unreachable',
};

/** Whether a run ends by itself. */
function isBounded({ untilEnd, maxMessages }: Pick<RunOptions, 'untilEnd' | 'maxMessages'>): boolean {
  return untilEnd || maxMessages !== null;
}

/** How long a run waits for a service that answered before; null: forever. */
export function waitLimitMs(options: Pick<RunOptions, 'untilEnd' | 'maxMessages'>): number | null {
  return isBounded(options) ? BOUNDED_WAIT_MS : null;
}

export interface WaitsParts {
  readonly clock: Clock;
  readonly options: Pick<RunOptions, 'untilEnd' | 'maxMessages'>;
  readonly on: (event: WaitEvent) => void;
  /** Aborted when the run stops. */
  readonly stop: AbortController;
}

/** Waits for services that answered before. A wait is reported once, however many parts of the run share it. */
export class Waits {
  readonly #parts: WaitsParts;
  readonly #waiting: Readonly<Record<Awaited, Set<object>>> = {
    broker: new Set(),
    registry: new Set(),
    store: new Set(),
    others: new Set(),
  };
  readonly #reportedAt: Record<Awaited, number> = {
    broker: -Infinity,
    registry: -Infinity,
    store: -Infinity,
    others: -Infinity,
  };

  constructor(parts: WaitsParts) {
    this.#parts = parts;
  }

  /** Give up after this long; null: wait forever. */
  get limitMs(): number | null {
    return waitLimitMs(this.#parts.options);
  }

  /** @param waiter the part of the run that waits; reported for the first one, then every 30 s while any part waits */
  begin(service: Awaited, waiter: object, forMs: number, message: string): void {
    const waiting = this.#waiting[service];
    const now = this.#parts.clock.elapsed();
    const isNews = waiting.size === 0 || now - this.#reportedAt[service] >= WARN_EVERY_MS;
    waiting.add(waiter);
    if (!isNews) return;
    this.#reportedAt[service] = now;
    this.#parts.on({ kind: 'waiting', for: service, forMs, message });
  }

  end(service: Awaited, waiter: object): void {
    const waiting = this.#waiting[service];
    if (waiting.delete(waiter) && waiting.size === 0) this.#parts.on({ kind: 'resumed', for: service });
  }

  /**
   * Calls `attempt` until it succeeds, the limit passes (then the last failure is thrown) or the run is stopped.
   *
   * @param services the services to wait for; any other failure is thrown
   * @returns undefined when stopped
   */
  async untilAvailable<R>(services: readonly Awaited[], attempt: () => Promise<R>): Promise<R | undefined> {
    const { clock, stop } = this.#parts;
    const waiter = {};
    let since: number | null = null;
    let warnedAt = Number.NEGATIVE_INFINITY;
    for (;;) {
      try {
        const result = await attempt();
        for (const service of services) this.end(service, waiter);
        return result;
      } catch (error) {
        const service = services.find((one) => isFailure(error, FAILURES[one]));
        if (service === undefined || !isFailure(error)) throw error;
        if (stop.signal.aborted) return undefined;
        const now = clock.elapsed();
        since ??= now;
        if (this.limitMs !== null && now - since >= this.limitMs) throw error;
        if (now - warnedAt >= WARN_EVERY_MS) {
          this.begin(service, waiter, now - since, error.message);
          warnedAt = now;
        }
        await clock.sleep(RETRY_EVERY_MS, stop.signal);
      }
    }
  }
}

/** Returns the result of `work`, or undefined as soon as the signal aborts; a later result is dropped. */
export async function unlessStopped<R>(work: Promise<R>, signal: AbortSignal): Promise<R | undefined> {
  let stop: () => void = () => undefined;
  const stopped = new Promise<undefined>((resolve) => {
    stop = () => resolve(undefined);
  });
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([work, stopped]);
  } finally {
    signal.removeEventListener('abort', stop);
    work.catch(() => undefined);
  }
}

/** Returns what `opening` opens, or undefined as soon as the signal aborts; what opens later is closed. */
export async function openUnlessStopped<R extends AsyncDisposable>(
  opening: Promise<R>,
  signal: AbortSignal,
): Promise<R | undefined> {
  const opened = await unlessStopped(opening, signal);
  // It is not closed anywhere else.
  if (opened === undefined) opening.then((late) => late[Symbol.asyncDispose]()).catch(() => undefined);
  return opened;
}
