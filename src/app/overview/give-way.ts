import type { Clock } from '../../ports/clock.ts';

/** If one turn of the event loop takes longer than this, the process is in use. */
const IN_USE_MS = 0.2;
/** The pause, as a multiple of the time for a chunk: reading takes a third of the process, however slow it is. */
const REST_SHARE = 2;

/**
 * Slows down long reading in the background: while the process is in use, it pauses after each chunk.
 *
 * @param onRest receives the length of each pause, in milliseconds
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
