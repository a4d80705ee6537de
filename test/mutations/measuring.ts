import type { Mutation } from './list.ts';

const METRICS = 'src/app/run/status/metrics.ts';
const TESTS = ['test/app/run-metrics.test.ts'];

const TRACES = ['test/app/traces.test.ts'];

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
  {
    name: 'a message that goes twice has another header the second time',
    file: 'src/app/tracing/traced-broker.ts',
    from: 'if (isCommitted) return',
    to: 'if (isCommitted && record.key === null) return',
    tests: TRACES,
  },
  {
    name: 'the trace that a client makes up counts as one that was not sampled',
    file: 'src/domain/messages/headers.ts',
    from: 'return id !== null && id.startsWith(`${CLIENT}/`)',
    to: 'return id !== null && id.startsWith(`${CLIENT}//`)',
    tests: TRACES,
  },
  {
    name: 'a decision keeps a trace that nobody records',
    file: 'src/processors/orders/decide.ts',
    from: 'traceparent !== null && isSampled(traceparent)',
    to: 'traceparent !== null',
    tests: ['test/unit/processors/orders.test.ts'],
  },
  {
    name: 'a client sends another ce_id the second time',
    file: 'src/domain/messages/headers.ts',
    from: 'store: CLIENT, of: [id] })',
    to: 'store: CLIENT, of: [id, at] })',
    tests: ['test/unit/domain/messages.test.ts'],
  },
  {
    name: 'what is redriven goes on with the trace in which it failed',
    file: 'src/app/tracing/traced-broker.ts',
    from: 'tracer.begin(isReplayed ? null : cause)',
    to: 'tracer.begin(cause)',
    tests: TRACES,
  },
  {
    name: 'the gateway goes on with the trace beside the try that asked it',
    file: 'src/app/tracing/effect-span.ts',
    from: 'traceparent: span.traceparent } }',
    to: 'traceparent } }',
    tests: TRACES,
  },
  {
    name: 'a header that is none goes on to the gateway',
    file: 'src/app/tracing/cause.ts',
    from: 'isTraceparent(header) ? header : null',
    to: 'header',
    tests: TRACES,
  },
  {
    name: 'spans fill the memory while a collector is away',
    file: 'src/adapters/otlp/queue.ts',
    from: 'if (this.#waiting.length >= MAX_WAITING) {',
    to: 'if (this.#waiting.length < 0) {',
    tests: ['test/unit/outside/otlp.test.ts'],
  },
];
