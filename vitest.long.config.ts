import { defineConfig } from 'vitest/config';
import { testsIn } from './test/support/tests-in.ts';

/** Runs as long as one likes: on the embedded broker, or on what the environment names (`npm run crash-test:kafka`). */
export default defineConfig({
  test: {
    include: testsIn('long'),
    testTimeout: 600_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    globalSetup: process.env.ORDERCTL_TEST_BROKERS === undefined ? ['test/support/embedded-cluster.ts'] : [],
  },
});
