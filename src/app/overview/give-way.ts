import type { Clock } from '../../ports/clock.ts';

/** If a turn of what else waits takes longer, somebody uses this process. */
const IN_USE_MS = 0.2;
/** A few times what a chunk takes. */
const REST_MS = 10;

/** Long reading behind the back of those who ask: while somebody does, it rests after each chunk. */
export async function* givingWay<T>(chunks: AsyncIterable<T>, clock: Clock): AsyncGenerator<T> {
  for await (const chunk of chunks) {
    yield chunk;
    const from = clock.elapsed();
    await new Promise((resolve) => setImmediate(resolve));
    if (clock.elapsed() - from > IN_USE_MS) await clock.sleep(REST_MS);
  }
}
