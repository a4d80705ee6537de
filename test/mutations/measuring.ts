import type { Mutation } from './list.ts';

const METRICS = 'src/app/run/status/metrics.ts';
const TESTS = ['test/app/run-metrics.test.ts'];

/** What the metrics say. */
export const MEASURING: readonly Mutation[] = [
  {
    name: 'the lag of a broker that does not answer stays what it was',
    file: METRICS,
    from: "if (waitingFor === 'broker') return;",
    to: '',
    tests: TESTS,
  },
  {
    name: 'a destination for which nothing waits any more is gone from the metrics',
    file: METRICS,
    from: 'for (const destination of known) yield',
    to: 'for (const destination of waiting.keys()) yield',
    tests: TESTS,
  },
  {
    name: 'dead letters are no records in the metrics',
    file: METRICS,
    from: "yield [{ processor, outcome: 'dead_letter' }, deadLettered];",
    to: 'void deadLettered;',
    tests: TESTS,
  },
  {
    name: 'who has a wrong token reads the metrics of a run',
    file: 'src/http/metrics-server.ts',
    from: 'if (!isAllowed(headers.authorization))',
    to: 'if (headers.authorization === undefined)',
    tests: ['test/e2e/metrics.test.ts'],
    test: 'to those who have the token',
  },
  {
    name: 'requests are measured by their paths, which have ids in them',
    file: 'src/http/metrics.ts',
    from: "is404 ? '' : (routeOptions.url ?? '')",
    to: "is404 ? '' : (routeOptions.url === undefined ? '' : request.url)",
    tests: ['test/e2e/metrics.test.ts'],
    test: 'serve has the metrics of its requests by route',
  },
];
