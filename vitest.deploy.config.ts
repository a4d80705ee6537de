import { defineConfig } from 'vitest/config';
import { testsIn } from './test/support/tests-in.ts';

/** What deploy/ has for other programs, run by those programs: `npm run test:deploy`. */
export default defineConfig({
  test: {
    include: testsIn('deploy'),
    testTimeout: 1_200_000,
    hookTimeout: 120_000,
    maxWorkers: 1,
    globalSetup: 'test/support/build.ts',
  },
});
