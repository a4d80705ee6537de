import { setTimeout as sleep } from 'node:timers/promises';

/** Longer than any client and proxy waits by itself. */
export const MAX_WAIT_SECONDS = 30;

/** `5s`. @returns milliseconds, 0 for none */
export function waitMs(text: string | undefined): number {
  return Math.min(Number(text?.slice(0, -1) ?? 0), MAX_WAIT_SECONDS) * 1_000;
}

const LOOK_EVERY_MS = 200;

/** Looks again and again. @returns what it saw when `isEnough` was true; undefined: it was not within `ms` */
export async function untilTrue<T>(
  ms: number,
  look: () => Promise<T>,
  isEnough: (seen: T) => boolean,
): Promise<T | undefined> {
  const until = performance.now() + ms;
  for (;;) {
    const seen = await look();
    if (isEnough(seen)) return seen;
    const left = until - performance.now();
    if (left <= 0) return undefined;
    await sleep(Math.min(LOOK_EVERY_MS, left));
  }
}
