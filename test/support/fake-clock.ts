import type { Clock } from '../../src/ports/clock.ts';

/** Time that passes only by sleeping. */
export class FakeClock implements Clock {
  time = Date.UTC(2026, 0, 2, 3, 4, 5, 6);
  readonly slept: number[] = [];

  now(): number {
    return this.time;
  }

  elapsed(): number {
    return this.time;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return;
    this.slept.push(ms);
    this.time += ms;
    // Other pending work gets its turn, as it would while time passes.
    await new Promise((resolve) => setImmediate(resolve));
  }
}
