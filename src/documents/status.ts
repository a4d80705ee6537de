import { Type } from 'typebox';
import { Count, CountByName, COUNTS, nullable, object, Seconds, Time, type Document } from './shapes.ts';

export const Counts = object(COUNTS);
export type Counts = Document<typeof Counts>;

/** null: it waits for nothing. */
export const WaitingFor = nullable(Type.Enum(['broker', 'registry', 'store', 'others']));

/** Of one of several processes; silent: it runs, but does not answer. */
export const InstanceState = Type.Enum(['starting', 'consuming', 'waiting', 'stopping', 'silent']);

/** What a processor says of itself while it runs. */
export const ProcessorState = object({
  processor: Type.String(),
  group: Type.String(),
  topics: Type.Array(Type.String()),
  partitions: Type.Array(object({ topic: Type.String(), partition: Count, next: Count, lag: Count }), {
    description: 'those that it reads; next: the offset to read next',
  }),
  records_per_second: Type.Number({ minimum: 0 }),
  lag: nullable(Type.Integer()),
  last_commit_at: nullable(Time),
  read: Count,
  dead_lettered: Count,
  outcomes: CountByName,
});
export type ProcessorState = Document<typeof ProcessorState>;

/** `status`: what the running consumer says of itself. */
export const Status = object({
  running: nullable(Type.Boolean(), 'null: this user may not ask, see problem'),
  pid: nullable(Type.Integer({ minimum: 1 })),
  started_at: nullable(Time),
  state: nullable(
    Type.Enum(['starting', 'consuming', 'waiting', 'stopping', 'silent']),
    'silent: it runs, but does not answer',
  ),
  waiting_for: WaitingFor,
  topic: nullable(Type.String()),
  group: nullable(Type.String()),
  orders_per_second: nullable(Type.Number({ minimum: 0 }), 'over the last ten seconds'),
  lag: nullable(Type.Integer(), 'null: the brokers have not said it'),
  last_commit_at: nullable(Time),
  counts: nullable(Counts, 'since it started'),
  processors: nullable(
    Type.Array(ProcessorState),
    'each that runs; what is above is that of orders, or of the first',
  ),
  instances: nullable(
    Type.Array(
      object({
        pid: Type.Integer({ minimum: 1 }),
        host: Type.String(),
        started_at: Time,
        state: InstanceState,
        processors: Type.Array(Type.String(), { description: 'none while it is silent' }),
        partitions: Type.Array(object({ processor: Type.String(), topic: Type.String(), partition: Count })),
      }),
    ),
    'each process of a store that several share, and what it reads; null on a folder',
  ),
  files: Type.Array(
    object({
      file: Type.String(),
      state: Type.Enum(['broken', 'not_taken_in', 'kept_aside']),
      line: nullable(Type.Integer({ minimum: 1 })),
      message: Type.String(),
    }),
    { description: 'CSVs that do not count as a user has saved them' },
  ),
  problem: nullable(Type.String(), 'why not all is known'),
});
export type Status = Document<typeof Status>;

/** `stop`. */
export const Stopped = object({
  stopped: Type.Boolean(),
  pid: nullable(Type.Integer({ minimum: 1 })),
  killed: Type.Boolean(),
  instances: nullable(
    Type.Array(object({ pid: Type.Integer({ minimum: 1 }), host: Type.String(), killed: Type.Boolean() })),
    'each that has ended, of a store that several share',
  ),
  seconds: nullable(Seconds),
});
export type Stopped = Document<typeof Stopped>;
