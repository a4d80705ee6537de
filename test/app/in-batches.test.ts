import { describe, expect, it } from 'vitest';
import { inBatches } from '../../src/app/send/in-batches.ts';
import type { Clock } from '../../src/ports/clock.ts';

/** Sleeps until it is woken, or the signal aborts. */
class HeldClock implements Clock {
  wake = (): void => undefined;
  sleeping = 0;

  now(): number {
    return 0;
  }

  elapsed(): number {
    return 0;
  }

  async sleep(_ms: number, signal?: AbortSignal): Promise<void> {
    this.sleeping += 1;
    await new Promise<void>((resolve) => {
      this.wake = resolve;
      if (signal?.aborted === true) resolve();
      signal?.addEventListener('abort', () => resolve());
    });
  }
}

async function all<T>(batches: AsyncIterable<readonly T[]>): Promise<(readonly T[])[]> {
  const found: (readonly T[])[] = [];
  for await (const batch of batches) found.push(batch);
  return found;
}

describe('inBatches', () => {
  const clock = new HeldClock();
  const options = { size: 3, lingerMs: 50, clock };

  it('keeps the order, and fills batches from a source that does not wait', async () => {
    const numbers = Array.from({ length: 10 }, (_, i) => i);
    const found = await all(inBatches(numbers, options));
    expect(found.flat()).toEqual(numbers);
    expect(Math.max(...found.map(({ length }) => length))).toBeLessThanOrEqual(3);
    expect(await all(inBatches([], options))).toEqual([]);
  });

  it('gives out what is there when the source makes it wait', async () => {
    let go = (): void => undefined;
    const slow = async function* (): AsyncGenerator<number> {
      yield 1;
      yield 2;
      await new Promise<void>((resolve) => (go = resolve));
      yield 3;
    };
    const held = new HeldClock();
    const batches = inBatches(slow(), { ...options, clock: held })[Symbol.asyncIterator]();
    const first = batches.next();
    while (held.sleeping === 0) await Promise.resolve();
    held.wake();
    expect((await first).value).toEqual([1, 2]);
    go();
    expect((await batches.next()).value).toEqual([3]);
    expect((await batches.next()).done).toBe(true);
  });

  it('gives out what came before a failure, then fails', async () => {
    const broken = async function* (): AsyncGenerator<number> {
      yield 1;
      throw new Error('torn');
    };
    const batches = inBatches(broken(), options)[Symbol.asyncIterator]();
    expect((await batches.next()).value).toEqual([1]);
    await expect(batches.next()).rejects.toThrow('torn');
  });

  it('takes no more from the source than two batches ahead, and lets go of it when left', async () => {
    let taken = 0;
    const source = { closed: false };
    const endless = function* (): Generator<number> {
      try {
        for (;;) yield taken++;
      } finally {
        source.closed = true;
      }
    };
    for await (const batch of inBatches(endless(), options)) {
      expect(batch[0]).toBe(0);
      break;
    }
    while (!source.closed) await Promise.resolve();
    expect(taken).toBeLessThanOrEqual(8);
  });
});
