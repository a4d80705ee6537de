import { Type } from 'typebox';
import { COUNTS, nullable, object, Seconds, Time, type Document } from './shapes.ts';

export const Counts = object(COUNTS);
export type Counts = Document<typeof Counts>;

/** `status`: what the running consumer says of itself. */
export const Status = object({
  running: Type.Boolean(),
  pid: nullable(Type.Integer({ minimum: 1 })),
  started_at: nullable(Time),
  state: nullable(
    Type.Enum(['starting', 'consuming', 'waiting', 'stopping', 'silent']),
    'silent: it runs, but does not answer',
  ),
  waiting_for: nullable(Type.Enum(['broker', 'registry'])),
  topic: nullable(Type.String()),
  group: nullable(Type.String()),
  orders_per_second: nullable(Type.Number({ minimum: 0 }), 'over the last ten seconds'),
  lag: nullable(Type.Integer(), 'null: the brokers have not said it'),
  last_commit_at: nullable(Time),
  counts: nullable(Counts, 'since it started'),
});
export type Status = Document<typeof Status>;

/** `stop`. */
export const Stopped = object({
  stopped: Type.Boolean(),
  pid: nullable(Type.Integer({ minimum: 1 })),
  killed: Type.Boolean(),
  seconds: nullable(Seconds),
});
export type Stopped = Document<typeof Stopped>;
