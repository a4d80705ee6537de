import { Type } from 'typebox';
import { ProcessorState } from '../status.ts';
import { Count, nullable, object, Time, type Document } from '../shapes.ts';

/** What there is to see of a shop at one moment. */
export const Overview = object({
  at: Time,
  shop: Type.String({ description: 'path of the storage folder' }),
  books: nullable(
    object({
      checked_at: Time,
      put_in: Type.Integer(),
      sold: Type.Integer(),
      moved: Type.Integer({
        description: 'reserved, restocked and the like: what is neither an edit nor a direct sale',
      }),
      on_hand: Type.Integer(),
      accepted: Count,
      rejected: Count,
      difference: nullable(
        object({ item: Type.String(), expected: Type.Integer(), actual: Type.Integer() }),
        'null: put in − sold + moved = on hand, for each item',
      ),
    }),
    'null: not added up yet',
  ),
  consumer: nullable(
    object({
      pid: Type.Integer(),
      state: Type.Enum(['starting', 'consuming', 'waiting', 'stopping']),
      waiting_for: nullable(Type.Enum(['broker', 'registry'])),
      lag: nullable(Type.Integer()),
      processors: Type.Array(ProcessorState),
    }),
    'null: none runs',
  ),
  problem: nullable(Type.String(), 'why not all is known'),
});
export type Overview = Document<typeof Overview>;
