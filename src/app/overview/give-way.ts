import type { Clock } from '../../ports/clock.ts';

/** If a turn of what else waits takes longer, somebody uses this process. */
const IN_USE_MS = 0.2;
/** Of the time that a chunk took: so it takes a third of the process, however slow that is. */
const REST_SHARE = 2;

/**
 * Long reading behind the back of those who ask: while somebody does, it rests after each chunk.
 *
 * @param onRest receives how long it has rested, in milliseconds
 */
export async function* givingWay<T>(
  chunks: AsyncIterable<T>,
  clock: Clock,
  onRest: (ms: number) => void,
): AsyncGenerator<T> {
  let from = clock.elapsed();
  for await (const chunk of chunks) {
    yield chunk;
    const read = clock.elapsed();
    await new Promise((resolve) => setImmediate(resolve));
    if (clock.elapsed() - read > IN_USE_MS) await clock.sleep(REST_SHARE * (read - from));
    from = clock.elapsed();
    onRest(from - read);
  }
}
