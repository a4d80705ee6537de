import { Type } from 'typebox';
import { ProcessorState, WaitingFor } from '../status.ts';
import { Count, nullable, object, Time, type Document } from '../shapes.ts';

const { partitions, records_per_second, last_commit_at, read, dead_lettered, outcomes } =
  ProcessorState.properties;
const STATES = ['starting', 'consuming', 'waiting', 'stopping', 'stopped'] as const;

/** The services of a shop. */
export const ProcessorList = object({
  at: Time,
  consumer: nullable(
    object({
      pid: Type.Integer({ minimum: 1 }),
      started_at: Time,
      waiting_for: WaitingFor,
    }),
    'the process that runs them; null: none does, or "problem" says why that is not known',
  ),
  processors: Type.Array(
    object({
      processor: Type.String(),
      group: Type.String(),
      topics: Type.Array(Type.String()),
      partitions: nullable(partitions, 'null: it does not run'),
      state: Type.Enum(STATES),
      lag: nullable(Type.Integer(), 'records that wait for it; null: the brokers have not said it'),
      records_per_second: nullable(
        records_per_second,
        'null, as all that follows up to outcomes: it does not run',
      ),
      last_commit_at,
      read: nullable(read, 'since it started, as the next two'),
      dead_lettered: nullable(dead_lettered),
      outcomes: nullable(outcomes),
      effects: object(
        {
          owed: Count,
          trying: Type.Integer({ minimum: 0, description: 'of these: asked for, and not answered yet' }),
          parked: Type.Integer({ minimum: 0, description: 'of these: not tried any more' }),
          next_due_at: nullable(Time, 'null: none is due'),
        },
        'charges, refunds, mails and the like that are to be done',
      ),
    }),
  ),
  problem: nullable(Type.String(), 'why not all is known'),
});
export type ProcessorList = Document<typeof ProcessorList>;
