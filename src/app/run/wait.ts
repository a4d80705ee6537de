import { isFailure, type FailureCode } from '../../domain/failure.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RunProcessorOptions, WaitEvent } from './events.ts';

/** How often the wait is reported. */
const WARN_EVERY_MS = 30_000;
/** How long a bounded run waits for a service that was there before. */
export const BOUNDED_WAIT_MS = 60_000;
const RETRY_EVERY_MS = 1_000;

export interface WaitOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Give up after so long; null waits for ever. */
  readonly limitMs: number | null;
  /** Failures that mean "away, try again". Any other passes. */
  readonly retryOn: readonly FailureCode[];
  readonly onWait: (forMs: number, message: string) => void;
  readonly onBack: () => void;
}

/** What waits: a run. */
export interface Waiting {
  readonly clock: Clock;
  readonly options: Pick<RunProcessorOptions<never, never>, 'untilEnd' | 'maxMessages'> & {
    readonly on: (event: WaitEvent) => void;
  };
  readonly stop: AbortController;
}

/** Whether a run ends by itself. */
export function isBounded({
  untilEnd,
  maxMessages,
}: Pick<Waiting['options'], 'untilEnd' | 'maxMessages'>): boolean {
  return untilEnd || maxMessages !== null;
}

/** How a run waits for a service that was there before. */
export function waitOf({ clock, options, stop }: Waiting, service: 'broker' | 'registry'): WaitOptions {
  return {
    clock,
    signal: stop.signal,
    limitMs: isBounded(options) ? BOUNDED_WAIT_MS : null,
    retryOn: [service === 'broker' ? 'broker_unreachable' : 'registry_unreachable'],
    onWait: (forMs, message) => options.on({ kind: 'waiting', for: service, forMs, message }),
    onBack: () => options.on({ kind: 'resumed', for: service }),
  };
}

/**
 * Calls `attempt` until it succeeds, the limit passes (then its last failure is thrown) or the signal aborts.
 *
 * @returns undefined when aborted
 */
export async function untilAvailable<R>(
  attempt: () => Promise<R>,
  options: WaitOptions,
): Promise<R | undefined> {
  const { clock, signal, limitMs, retryOn } = options;
  let since: number | null = null;
  let warnedAt = Number.NEGATIVE_INFINITY;
  for (;;) {
    try {
      const result = await attempt();
      if (since !== null) options.onBack();
      return result;
    } catch (error) {
      if (!isFailure(error, ...retryOn)) throw error;
      if (signal.aborted) return undefined;
      const now = clock.now();
      since ??= now;
      if (limitMs !== null && now - since >= limitMs) throw error;
      if (now - warnedAt >= WARN_EVERY_MS) {
        options.onWait(now - since, error.message);
        warnedAt = now;
      }
      await clock.sleep(RETRY_EVERY_MS, signal);
    }
  }
}

/** The result of the work; undefined as soon as the signal aborts: what comes of it then is dropped. */
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

/** What is opened; undefined as soon as the signal aborts: what is opened later is closed. */
export async function openUnlessStopped<R extends AsyncDisposable>(
  opening: Promise<R>,
  signal: AbortSignal,
): Promise<R | undefined> {
  const opened = await unlessStopped(opening, signal);
  // Nobody else closes it.
  if (opened === undefined) opening.then((late) => late[Symbol.asyncDispose]()).catch(() => undefined);
  return opened;
}
