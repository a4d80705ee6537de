import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: { name: 'parts', include: ['test/{unit,contract,app,crash,embedded}/**/*.test.ts'] },
      },
      {
        extends: true,
        // The built binary, without Kafka.
        test: { name: 'cli', include: ['test/cli/**/*.test.ts'], globalSetup: 'test/support/build.ts' },
      },
    ],
  },
});
