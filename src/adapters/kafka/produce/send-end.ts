/** How long requests under way may continue after the signal aborts: a stop takes at most ten seconds. */
const STOP_GRACE_MS = 4_000;

export interface EndOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** Ends the send at once. */
  readonly closed: AbortSignal;
}

/** When a send is given up: after its time, a little after the signal aborts, or when the producer is closed. */
export function endOf({ timeoutMs, signal, closed }: EndOptions): {
  readonly signal: AbortSignal;
  readonly reached: Promise<void>;
  cancel(): void;
} {
  const end = new AbortController();
  let reach: () => void = () => undefined;
  const reached = new Promise<void>((resolve) => (reach = resolve));
  const over = (): void => {
    end.abort();
    reach();
  };
  const timers = [setTimeout(over, timeoutMs)];
  const onStop = (): void => void timers.push(setTimeout(over, STOP_GRACE_MS));
  if (signal?.aborted === true) onStop();
  signal?.addEventListener('abort', onStop, { once: true });
  closed.addEventListener('abort', over, { once: true });
  return {
    signal: end.signal,
    reached,
    cancel: () => {
      end.abort();
      for (const timer of timers) clearTimeout(timer);
      signal?.removeEventListener('abort', onStop);
      closed.removeEventListener('abort', over);
    },
  };
}
