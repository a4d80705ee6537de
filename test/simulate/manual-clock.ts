import type { Clock } from '../../src/ports/clock.ts';

/** A clock whose sleepers wake when the simulation says. */
export class ManualClock implements Clock {
  time: number;
  #sleepers: (() => void)[] = [];

  constructor(time = Date.UTC(2026, 0, 2, 3, 4, 5, 6)) {
    this.time = time;
  }

  now(): number {
    return this.time;
  }

  elapsed(): number {
    return this.time;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true || ms <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      this.#sleepers.push(wake);
      signal?.addEventListener('abort', wake, { once: true });
    });
  }

  /** Lets a second pass, until everybody who was woken sleeps again or has ended. */
  async tick(): Promise<void> {
    this.time += 1_000;
    const woken = this.#sleepers.splice(0);
    for (const wake of woken) wake();
    for (let turns = 0; this.#sleepers.length < woken.length && turns < 100; turns++) await turn();
  }
}

export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
