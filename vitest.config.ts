import os from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { testsIn } from './test/support/tests-in.ts';

/** What takes longest begins first, so that no core is idle in the end: those that wait, then those that calculate. */
const LONGEST = [
  /broker\.test/,
  /outages/,
  /contract\/postgres-store/,
  /kafka\/consumer\.test/,
  /walks\/(up|demo|break|checkout|postgres)/,
  /e2e\/(serve|json|run|status|operations)\./,
  /nobody-there/,
  /cli\/output/,
  /kafka\/(producer|shared|leaders)\.test/,
  /\/e2e\//,
  /\/cli\//,
  /crash/,
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const found = LONGEST.findIndex((pattern) => pattern.test(moduleId));
      return found === -1 ? LONGEST.length : found;
    };
    return [...(await super.sort(files))].sort((a, b) => rank(a) - rank(b));
  }
}

/** Without Kafka and without the built binary. */
export const PARTS = ['test/tidy.test.ts', ...testsIn('unit', 'contract', 'app', 'model', 'crash', 'fuzz')];

export const SETTINGS = {
  // Seven hundred modules, whose loading would cost each file half a second.
  deps: { optimizer: { ssr: { enabled: true, include: ['typebox', 'typebox/compile'] } } },
  // A process for each file takes as long as what most of them try. None may leave anything behind.
  isolate: false,
  setupFiles: ['test/support/nothing-left.ts'],
  testTimeout: 90_000,
  hookTimeout: 60_000,
  sequence: { sequencer: LongestFirst },
  // Each loads most of src; fewer would wait, for processes and for time to pass.
  maxWorkers: Math.min(3 * os.availableParallelism(), 16),
  execArgv: ['--max-semi-space-size=64'],
};

/** For single files and folders, each with no more than it needs: `npx vitest run --project parts test/unit/kafka`. */
export default defineConfig({
  test: {
    ...SETTINGS,
    projects: [
      {
        extends: true,
        test: {
          name: 'parts',
          include: PARTS,
        },
      },
      {
        extends: true,
        // The built binary, without Kafka.
        test: { name: 'cli', include: testsIn('cli'), globalSetup: 'test/support/build.ts' },
      },
      {
        extends: true,
        // `npm run test:browser`: the page, in a Chromium of this machine.
        test: { name: 'browser', include: testsIn('browser'), globalSetup: 'test/support/build.ts' },
      },
      {
        extends: true,
        // The built binary on the embedded broker; the same tests run on a real Kafka by vitest.kafka.config.ts.
        test: {
          name: 'embedded',
          include: ['test/embedded/broker.test.ts', ...testsIn('e2e')],
          globalSetup: 'test/support/embedded-cluster.ts',
        },
      },
    ],
  },
});
