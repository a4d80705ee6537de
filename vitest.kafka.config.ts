import { defineConfig } from 'vitest/config';
import { testsIn } from './test/support/tests-in.ts';

/**
 * What runs on a real Kafka and registry: started by `npm run test:kafka`, which names them in the environment. And
 * what needs Kafka's own tools, librdkafka or Python, to try the embedded broker with.
 */
export default defineConfig({
  test: {
    include: [...testsIn('kafka', 'e2e', 'cluster'), 'test/embedded/*clients.test.ts'],
    testTimeout: 90_000,
    hookTimeout: 90_000,
    // Most of the time is waiting; more would take the machine from the JVMs and the binary.
    maxWorkers: 2,
  },
});
