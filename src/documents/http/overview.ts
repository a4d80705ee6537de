import { Type } from 'typebox';
import { ORDER_STATUSES } from '../../domain/checkout/status.ts';
import { InstanceState, ProcessorState, WaitingFor } from '../status.ts';
import { Count, nullable, object, Time, type Document } from '../shapes.ts';

/** The state of a shop at one moment. */
export const Overview = object({
  at: Time,
  shop: Type.String({ description: 'path of the storage folder' }),
  books: nullable(
    object({
      checked_at: Time,
      put_in: Type.Integer({ description: 'by edits and restocks' }),
      sold: Type.Integer({ description: 'by direct orders, by the checkout and in stores' }),
      returned: Type.Integer({ description: 'by cancelled orders' }),
      moved: Type.Integer({ description: 'the same as returned: its former name' }),
      on_hand: Type.Integer(),
      accepted: Type.Integer({ minimum: 0, description: 'direct orders, like rejected' }),
      rejected: Count,
      orders: Type.Record(Type.Enum(ORDER_STATUSES), Count, { description: 'of both flows, by status' }),
      difference: nullable(
        object({ item: Type.String(), expected: Type.Integer(), actual: Type.Integer() }),
        'null: put in − sold + returned = on hand, for each item',
      ),
    }),
    'null: not computed yet',
  ),
  consumer: nullable(
    object({
      pid: Type.Integer(),
      state: Type.Enum(['starting', 'consuming', 'waiting', 'stopping']),
      waiting_for: WaitingFor,
      lag: nullable(Type.Integer()),
      processors: Type.Array(ProcessorState),
      instances: nullable(
        Type.Array(
          object({
            pid: Type.Integer(),
            host: Type.String(),
            state: InstanceState,
            processors: Type.Array(Type.String()),
          }),
        ),
        'the processes that share the store, whose totals are above; null: the store is a folder',
      ),
    }),
    'null: none is running',
  ),
  kafka: object({
    brokers: Type.String(),
    answers: nullable(
      Type.Boolean(),
      'whether they answered the last request of this server; null: none was sent yet',
    ),
    dead_letters: nullable(
      Count,
      'in the dead-letter topics, redriven and discarded ones included; null: not known',
    ),
  }),
  parts: nullable(
    Type.Array(
      object({
        name: Type.String({
          description: 'the command: run, dev, serve, produce; with --split postgres, and each processor',
        }),
        pid: nullable(Type.Integer(), 'null: it is being restarted'),
        problem: nullable(Type.String(), 'how its last process ended; null once the next one runs steadily'),
      }),
    ),
    'the processes of "orderctl up"; null: this server was started by hand',
  ),
  problem: nullable(Type.String(), 'why some values are not known'),
});
export type Overview = Document<typeof Overview>;
