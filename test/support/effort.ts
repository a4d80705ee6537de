/**
 * Whether tests that calculate, and walks through whole shops, run in full: `npm run test:long`. `npm test` takes a
 * sample of what they try.
 */
export const IS_FULL = process.env.ORDERCTL_TEST_EFFORT === 'full';

/** How many of something are tried. */
export function tries(full: number, sample: number): number {
  return IS_FULL ? full : sample;
}
