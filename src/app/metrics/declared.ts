import type { Metric } from '../../ports/outside/meter.ts';

function metric<const Label extends string>(declared: Metric<Label>): Metric<Label> {
  return declared;
}

/** For a commit or a sync: from memory to a disk that cannot keep up. */
const SHORT_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
/** For a request. */
const REQUEST_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** For a record: from one that is read at once to one that waited through an outage. */
const LATENCY_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200];

/** Every metric of /metrics, once. A test compares them with docs/monitoring.md. No label contains an order id. */
export const METRICS = {
  buildInfo: metric({
    name: 'orderctl_build_info',
    type: 'gauge',
    labels: ['version'],
    help: 'Always 1; the version of orderctl is a label.',
  }),
  cpuSeconds: metric({
    name: 'process_cpu_seconds_total',
    type: 'counter',
    labels: [],
    help: 'CPU time that the process has used, user and system, in seconds.',
  }),
  residentBytes: metric({
    name: 'process_resident_memory_bytes',
    type: 'gauge',
    labels: [],
    help: 'Resident memory of the process in bytes.',
  }),
  startTime: metric({
    name: 'process_start_time_seconds',
    type: 'gauge',
    labels: [],
    help: 'When the process was started, in seconds since the epoch.',
  }),
  records: metric({
    name: 'orderctl_records_total',
    type: 'counter',
    labels: ['processor', 'outcome'],
    help: 'Records that were processed and committed, by outcome.',
  }),
  commitSeconds: metric({
    name: 'orderctl_commit_duration_seconds',
    type: 'histogram',
    labels: ['processor'],
    help: 'Time from the start of the transaction of a decoded batch until it is durable.',
    buckets: SHORT_SECONDS,
  }),
  syncSeconds: metric({
    name: 'orderctl_sync_duration_seconds',
    type: 'histogram',
    labels: [],
    help: 'Duration of a sync to disk: fdatasync of the journal in a folder, COMMIT in PostgreSQL.',
    buckets: SHORT_SECONDS,
  }),
  latencySeconds: metric({
    name: 'orderctl_record_latency_seconds',
    type: 'histogram',
    labels: ['processor'],
    help: 'Time from the timestamp of the first record of each batch to the commit of the batch.',
    buckets: LATENCY_SECONDS,
  }),
  lag: metric({
    name: 'orderctl_lag_records',
    type: 'gauge',
    labels: ['processor', 'topic', 'partition'],
    help: 'Records before the end of the partition, according to the last answer of the broker.',
  }),
  waiting: metric({
    name: 'orderctl_waiting',
    type: 'gauge',
    labels: ['service'],
    help: '1 while the run waits for this service to answer, else 0.',
  }),
  outbox: metric({
    name: 'orderctl_outbox_messages',
    type: 'gauge',
    labels: ['destination'],
    help: 'Committed messages and dead letters that wait to be sent, by message or topic.',
  }),
  undelivered: metric({
    name: 'orderctl_undelivered_total',
    type: 'counter',
    labels: [],
    help: 'Messages that the broker refused permanently; they are kept next to the store.',
  }),
  effectTries: metric({
    name: 'orderctl_effect_tries_total',
    type: 'counter',
    labels: ['processor', 'outcome'],
    help: 'Tries of charges, refunds, mails and webhooks that were answered: done, or failed (tried again or parked).',
  }),
  effectsParked: metric({
    name: 'orderctl_effects_parked_total',
    type: 'counter',
    labels: ['processor'],
    help: 'Effects that are no longer tried; their messages became dead letters.',
  }),
  offsetFailures: metric({
    name: 'orderctl_offset_commit_failures_total',
    type: 'counter',
    labels: ['processor'],
    help: 'Commits of offsets to Kafka that failed; the stored position counts, and the next commit includes it.',
  }),
  httpSeconds: metric({
    name: 'orderctl_http_request_duration_seconds',
    type: 'histogram',
    labels: ['method', 'route', 'status'],
    help: 'HTTP requests by route and class of status, such as 2xx; route is empty for unknown paths.',
    buckets: REQUEST_SECONDS,
  }),
  processorRunning: metric({
    name: 'orderctl_processor_running',
    type: 'gauge',
    labels: ['processor'],
    help: '1 while a process of the shop runs this processor, else 0.',
  }),
  brokerAnswers: metric({
    name: 'orderctl_broker_up',
    type: 'gauge',
    labels: [],
    help: '1 if the brokers answered the last request of the server, else 0.',
  }),
  deadLetters: metric({
    name: 'orderctl_dead_letters',
    type: 'gauge',
    labels: [],
    help: 'Records in the dead-letter topics, whatever their state.',
  }),
  booksBalanced: metric({
    name: 'orderctl_books_balanced',
    type: 'gauge',
    labels: [],
    help: '1 while put in - sold + returned = on hand for each item, 0 when they differ.',
  }),
  booksCheckedAt: metric({
    name: 'orderctl_books_checked_timestamp_seconds',
    type: 'gauge',
    labels: [],
    help: 'When the books were last added up, in seconds since the epoch.',
  }),
} as const;
