import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect } from 'vitest';

const LOOKS = 20;
const EVERY_MS = 10;

/*
 * Runs after each test file, since the following files run in the same process: an owner that was left open and sleeps
 * by a clock that does not wait is busy forever, and takes a core from them.
 */
afterAll(async () => {
  const isBusy = (): boolean => process.getActiveResourcesInfo().includes('Immediate');
  for (let looks = 0; isBusy(); looks += 1) {
    if (looks === LOOKS)
      throw new Error(`${expect.getState().testPath ?? ''} has left something that never rests`);
    await sleep(EVERY_MS);
  }
});
