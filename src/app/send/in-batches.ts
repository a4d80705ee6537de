import type { Clock } from '../../ports/clock.ts';

export interface BatchingOptions {
  readonly size: number;
  /** A batch that is not full is yielded when its first item has waited this long: a user may be typing the source. */
  readonly lingerMs: number;
  readonly clock: Clock;
}

/**
 * Groups items as they arrive. When the source fails, the items before the failure are yielded first.
 *
 * @throws what `items` throws, after the last batch
 */
export async function* inBatches<T>(
  items: AsyncIterable<T> | Iterable<T>,
  { size, lingerMs, clock }: BatchingOptions,
): AsyncGenerator<readonly T[]> {
  // One object, because each side changes it while the other waits.
  const state: { batch: T[]; ended: boolean; failure?: { error: unknown } } = { batch: [], ended: false };
  /** Called when the other side may have work to do. */
  let wakeReader = (): void => undefined;
  let wakeWriter = (): void => undefined;
  let full = new AbortController();
  const collect = async (): Promise<void> => {
    try {
      for await (const item of items) {
        while (state.batch.length >= size && !state.ended)
          await new Promise<void>((resolve) => (wakeWriter = resolve));
        if (state.ended) return;
        state.batch.push(item);
        if (state.batch.length >= size) full.abort();
        wakeReader();
      }
    } catch (error) {
      state.failure = { error };
    } finally {
      state.ended = true;
      full.abort();
      wakeReader();
    }
  };
  const collecting = collect();
  try {
    for (;;) {
      while (state.batch.length === 0 && !state.ended)
        await new Promise<void>((resolve) => (wakeReader = resolve));
      if (!full.signal.aborted) await clock.sleep(lingerMs, full.signal);
      const next = state.batch;
      if (next.length === 0) break;
      state.batch = [];
      if (!state.ended) full = new AbortController();
      wakeWriter();
      yield next;
    }
  } finally {
    state.ended = true;
    wakeWriter();
  }
  await collecting;
  if (state.failure !== undefined) throw state.failure.error;
}
