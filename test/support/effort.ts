/**
 * Whether calculating tests and walks through whole shops run in full: `npm run test:long`. `npm test` runs a sample of
 * their cases.
 */
export const IS_FULL = process.env.ORDERCTL_TEST_EFFORT === 'full';

/** How many cases are tried. */
export function tries(full: number, sample: number): number {
  return IS_FULL ? full : sample;
}
