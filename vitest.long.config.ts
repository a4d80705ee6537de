import { defineConfig } from 'vitest/config';

/** Runs as long as one likes: by `npm run crash-test` and `npm run fault-test`. */
export default defineConfig({
  test: {
    include: ['test/long/**/*.test.ts'],
    testTimeout: 600_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
  },
});
