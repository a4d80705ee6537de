import type { Clock } from '../../src/ports/clock.ts';

/** After this many turns without a new sleeper, all tasks are assumed to wait for time to pass. */
const QUIET_TURNS = 20;

/** A clock for concurrent tasks: time passes when all of them sleep, and wakes them in order. */
export class VirtualClock implements Clock {
  #time = Date.UTC(2026, 0, 2, 3, 4, 5, 6);
  readonly #sleepers = new Map<() => void, number>();
  #isPassing = false;

  now(): number {
    return this.#time;
  }

  elapsed(): number {
    return this.#time;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#sleepers.delete(wake);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      signal?.addEventListener('abort', wake, { once: true });
      this.#sleepers.set(wake, this.#time + ms);
      if (!this.#isPassing) void this.#pass();
    });
  }

  async #pass(): Promise<void> {
    this.#isPassing = true;
    while (this.#sleepers.size > 0) {
      for (let turns = 0; turns < QUIET_TURNS; turns++) await new Promise((resolve) => setImmediate(resolve));
      const [first] = [...this.#sleepers].sort(([, a], [, b]) => a - b);
      if (first === undefined) break;
      const [wake, at] = first;
      this.#time = Math.max(this.#time, at);
      wake();
    }
    this.#isPassing = false;
  }
}
