import { Type } from 'typebox';
import { DIFFERENCE_KINDS, NOTE_KINDS } from '../domain/difference.ts';
import { Count, CountByName, nullable, object, Time, type Document } from './shapes.ts';

const Value = nullable(Type.Union([Type.String(), Type.Number()]));

const Difference = object({
  kind: Type.Enum(DIFFERENCE_KINDS),
  item: nullable(Type.String()),
  order_id: nullable(Type.String()),
  expected: Value,
  actual: Value,
  where: Type.String({ description: 'FILE:LINE, TOPIC/PARTITION@OFFSET or a file; files are relative' }),
  message: Type.String(),
  fix: nullable(Type.String(), 'null: the file is rebuilt automatically'),
});
export type Difference = Document<typeof Difference>;

const Records = object({
  deciding: Count,
  duplicates: Count,
  conflicts: Count,
  dead_letters: Count,
  skipped: Count,
});

/** The result of `audit`. */
export const Audit = object({
  ok: Type.Boolean(),
  as_of: nullable(
    object({ seq: nullable(Count, 'number of the last commit; null: it has none'), at: nullable(Time) }),
    'null: now',
  ),
  checked: object({
    items: Count,
    orders: Count,
    rejections: Count,
    records: nullable(Count, 'null: the topic was not read'),
    users: Count,
    edits: Count,
    checkout_orders: Count,
    unfinished_orders: Type.Integer({
      minimum: 0,
      description: 'checkout orders with steps still to come',
    }),
    movements: Count,
    facts: Count,
  }),
  skips: Type.Array(
    object({
      processor: Type.String(),
      topic: Type.String(),
      partition: Count,
      from: Type.Integer({ minimum: 0, description: 'the first offset that was not read' }),
      to: Type.Integer({ minimum: 0, description: 'the offset after the last one' }),
      cause: Type.Enum(['reset', 'group_moved', 'adopt']),
      at: Time,
    }),
  ),
  differences_total: Count,
  differences: Type.Array(Difference, { description: 'the first hundred' }),
  repaired: Type.Array(Difference),
  records: nullable(Records, 'records below the stored positions; null: the topic was not read'),
  checkout_records: nullable(Records, 'the same for the orders placed in the checkout'),
  in_flight: nullable(
    object({
      owed: Count,
      waiting: Count,
      unread: Count,
      dead_lettered: Count,
      by_hand: Count,
      skipped: Count,
    }),
    'unfinished checkout orders by what they wait for: an effect, a message to be sent, a record to be read, ' +
      'a dead letter to be resolved, a dispatch by hand, a record that was skipped; null: the topics were not read',
  ),
  unfinished: Type.Array(
    object({
      order_id: Type.String(),
      waits_for: nullable(Type.String(), 'the processor that continues it; null: the answer to an effect'),
    }),
    { description: 'unfinished checkout orders: the first thousand' },
  ),
  unsent: Type.Integer({ minimum: 0, description: 'messages and dead letters waiting to be sent' }),
  unsent_by_destination: CountByName,
  effects: object({
    owed: Type.Integer({ minimum: 0, description: 'pending charges, refunds, mails and the like' }),
    parked: Type.Integer({ minimum: 0, description: 'of these, how many are no longer tried' }),
  }),
  undelivered: Type.Integer({ minimum: 0, description: 'dead letters that their topic does not accept' }),
  notes: Type.Array(
    object({
      kind: Type.Enum(NOTE_KINDS),
      where: Type.String(),
      message: Type.String(),
    }),
  ),
});
export type Audit = Document<typeof Audit>;
