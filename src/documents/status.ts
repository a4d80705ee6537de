import { Type } from 'typebox';
import { Count, CountByName, COUNTS, nullable, object, Seconds, Time, type Document } from './shapes.ts';

export const Counts = object(COUNTS);
export type Counts = Document<typeof Counts>;

/** What a consumer waits for; null: nothing. */
export const WaitingFor = nullable(Type.Enum(['broker', 'registry', 'store', 'others']));

/** The state of one of several processes; silent: running, but not answering. */
export const InstanceState = Type.Enum(['starting', 'consuming', 'waiting', 'stopping', 'silent']);

/** The status that a running processor reports. */
export const ProcessorState = object({
  processor: Type.String(),
  group: Type.String(),
  topics: Type.Array(Type.String()),
  partitions: Type.Array(object({ topic: Type.String(), partition: Count, next: Count, lag: Count }), {
    description: 'the partitions it reads; next: the next offset to read',
  }),
  records_per_second: Type.Number({ minimum: 0 }),
  lag: nullable(Type.Integer()),
  last_commit_at: nullable(Time),
  read: Count,
  dead_lettered: Count,
  outcomes: CountByName,
});
export type ProcessorState = Document<typeof ProcessorState>;

/** `status`: the status that the running consumer reports. */
export const Status = object({
  running: nullable(Type.Boolean(), 'null: this user has no permission to ask, see problem'),
  pid: nullable(Type.Integer({ minimum: 1 })),
  started_at: nullable(Time),
  state: nullable(
    Type.Enum(['starting', 'consuming', 'waiting', 'stopping', 'silent']),
    'silent: running, but not answering',
  ),
  waiting_for: WaitingFor,
  topic: nullable(Type.String()),
  group: nullable(Type.String()),
  orders_per_second: nullable(Type.Number({ minimum: 0 }), 'over the last ten seconds'),
  lag: nullable(Type.Integer(), 'null: not known from the brokers'),
  last_commit_at: nullable(Time),
  counts: nullable(Counts, 'since it started'),
  processors: nullable(
    Type.Array(ProcessorState),
    'the running processors; the values above are those of orders, or of the first one',
  ),
  instances: nullable(
    Type.Array(
      object({
        pid: Type.Integer({ minimum: 1 }),
        host: Type.String(),
        started_at: Time,
        state: InstanceState,
        processors: Type.Array(Type.String(), { description: 'empty while it is silent' }),
        partitions: Type.Array(object({ processor: Type.String(), topic: Type.String(), partition: Count })),
      }),
    ),
    'the processes that share the store, with the partitions they read; null: the store is a folder',
  ),
  files: Type.Array(
    object({
      file: Type.String(),
      state: Type.Enum(['broken', 'not_taken_in', 'kept_aside']),
      line: nullable(Type.Integer({ minimum: 1 })),
      message: Type.String(),
    }),
    { description: 'CSV files whose saved changes were not applied' },
  ),
  problem: nullable(Type.String(), 'why some values are not known'),
});
export type Status = Document<typeof Status>;

/** The output of `stop`. */
export const Stopped = object({
  stopped: Type.Boolean(),
  pid: nullable(Type.Integer({ minimum: 1 })),
  killed: Type.Boolean(),
  instances: nullable(
    Type.Array(object({ pid: Type.Integer({ minimum: 1 }), host: Type.String(), killed: Type.Boolean() })),
    'the processes sharing the store that have ended',
  ),
  seconds: nullable(Seconds),
});
export type Stopped = Document<typeof Stopped>;
