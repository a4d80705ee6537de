import os from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Most of the time is waiting for processes: one more than there are cores keeps a machine of two busy.
    maxWorkers: Math.max(3, os.availableParallelism()),
    projects: [
      {
        extends: true,
        test: { name: 'parts', include: ['test/{unit,contract,app,crash,fuzz}/**/*.test.ts'] },
      },
      {
        extends: true,
        // The built binary, without Kafka.
        test: { name: 'cli', include: ['test/cli/**/*.test.ts'], globalSetup: 'test/support/build.ts' },
      },
      {
        extends: true,
        // The built binary on the embedded broker; the same tests run on a real Kafka by vitest.kafka.config.ts.
        test: {
          name: 'embedded',
          include: ['test/embedded/broker.test.ts', 'test/e2e/**/*.test.ts'],
          globalSetup: 'test/support/embedded-cluster.ts',
          testTimeout: 90_000,
        },
      },
    ],
  },
});
