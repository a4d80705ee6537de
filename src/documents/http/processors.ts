import { Type } from 'typebox';
import { ProcessorState, WaitingFor } from '../status.ts';
import { Count, nullable, object, Time, type Document } from '../shapes.ts';

const { partitions, records_per_second, last_commit_at, read, dead_lettered, outcomes } =
  ProcessorState.properties;
const STATES = ['starting', 'consuming', 'waiting', 'stopping', 'stopped'] as const;

/** The processors of a shop. */
export const ProcessorList = object({
  at: Time,
  consumer: nullable(
    object({
      pid: Type.Integer({ minimum: 1 }),
      started_at: Time,
      waiting_for: WaitingFor,
    }),
    'the process that runs the processors; null: none does, or "problem" says why it is not known',
  ),
  processors: Type.Array(
    object({
      processor: Type.String(),
      group: Type.String(),
      topics: Type.Array(Type.String()),
      partitions: nullable(partitions, 'null: it is not running'),
      state: Type.Enum(STATES),
      lag: nullable(Type.Integer(), 'records still to be read; null: not known from the brokers'),
      records_per_second: nullable(
        records_per_second,
        'null, like all fields below up to outcomes: it is not running',
      ),
      last_commit_at,
      read: nullable(read, 'since it started, like the next two'),
      dead_lettered: nullable(dead_lettered),
      outcomes: nullable(outcomes),
      effects: object(
        {
          owed: Count,
          trying: Type.Integer({ minimum: 0, description: 'of these: requested, but not answered yet' }),
          parked: Type.Integer({ minimum: 0, description: 'of these: no longer tried' }),
          next_due_at: nullable(Time, 'null: none is due'),
        },
        'pending charges, refunds, mails and the like',
      ),
    }),
  ),
  problem: nullable(Type.String(), 'why some values are not known'),
});
export type ProcessorList = Document<typeof ProcessorList>;
