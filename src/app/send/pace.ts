import type { Clock } from '../../ports/clock.ts';
import { inBatches } from './in-batches.ts';

/** The number of entries in a send: larger requests would not be faster, and a stop waits for one. */
const BATCH = 2_000;
const LINGER_MS = 50;

export interface Pace {
  readonly clock: Clock;
  /** Pause between two entries. */
  readonly delayMs: number;
  /** Entries per second, instead of a pause; null: no limit. */
  readonly perSecond?: number | null;
  /** The total number of entries, if known: then no pause follows the last one. */
  readonly count: number | null;
  readonly signal: AbortSignal;
}

/** Groups entries that are sent together, and yields each group when it is due. */
export function atPace<T>(source: AsyncIterable<T> | Iterable<T>, pace: Pace): AsyncGenerator<readonly T[]> {
  const { clock, delayMs, perSecond = null } = pace;
  if (perSecond !== null) return atRate(source, perSecond, pace);
  if (delayMs > 0) return oneByOne(source, pace);
  return inBatches(source, { size: BATCH, lingerMs: LINGER_MS, clock });
}

/** Takes each entry from its source when it is due, so that its timestamp is the time of sending. */
async function* oneByOne<T>(
  items: AsyncIterable<T> | Iterable<T>,
  { clock, delayMs, signal, count }: Pace,
): AsyncGenerator<readonly T[]> {
  const source = iteratorOf(items);
  for (let taken = 1; ; taken++) {
    const next = await source.next();
    if (next.done === true) return;
    yield [next.value];
    if (taken !== count) await clock.sleep(delayMs, signal);
  }
}

/** Yields all entries that are due at once, which makes up for delays by a slow broker. */
async function* atRate<T>(
  items: AsyncIterable<T> | Iterable<T>,
  perSecond: number,
  { clock, signal }: Pace,
): AsyncGenerator<readonly T[]> {
  const source = iteratorOf(items);
  const from = clock.elapsed();
  for (let taken = 0; ;) {
    const due = Math.floor(((clock.elapsed() - from) * perSecond) / 1_000) + 1 - taken;
    if (due <= 0) {
      await clock.sleep(Math.max(1, from + (taken * 1_000) / perSecond - clock.elapsed()), signal);
      if (signal.aborted) return;
      continue;
    }
    const batch: T[] = [];
    while (batch.length < Math.min(due, BATCH)) {
      const next = await source.next();
      if (next.done === true) break;
      batch.push(next.value);
    }
    if (batch.length === 0) return;
    taken += batch.length;
    yield batch;
  }
}

function iteratorOf<T>(items: AsyncIterable<T> | Iterable<T>): AsyncIterator<T> | Iterator<T> {
  return Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
}
