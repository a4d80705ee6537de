import { Type } from 'typebox';
import { Count, nullable, object, PLACE_OR_NULL, Time, type Document } from './shapes.ts';

const STATE = Type.Enum(['open', 'redriven', 'discarded']);
const ID = Type.String({
  description: 'PARTITION:OFFSET in the dead-letter topic of orders, TOPIC:PARTITION:OFFSET in any other',
});

/** A dead letter, as `dlq list` prints it. */
export const DeadLetter = object({
  type: Type.Literal('dead_letter'),
  id: ID,
  state: STATE,
  error_code: nullable(Type.String(), "orderctl's error code, or the exception class of another program"),
  error_stage: nullable(Type.String()),
  error_message: nullable(Type.String()),
  attempts: nullable(Type.Number()),
  failed_at: nullable(Time),
  original: object({ ...PLACE_OR_NULL, timestamp: nullable(Time) }),
  size_bytes: Type.Integer({ minimum: 0, description: 'of key and value' }),
  format: nullable(Type.String(), 'the program whose kind of headers it has'),
  group: nullable(Type.String()),
  replay_count: Count,
  topic: Type.String({ description: 'the dead-letter topic' }),
});
export type DeadLetter = Document<typeof DeadLetter>;

export const RecordBytes = object({
  size_bytes: Count,
  hex: Type.String({ description: 'the first bytes' }),
});

export const RecordHeaders = Type.Array(object({ name: Type.String(), value: nullable(Type.String()) }));

const Position = Type.Integer({ minimum: 0, description: 'of the first byte, from the start of the value' });

/** A value, as far as it can be decoded. */
export const DecodedValue = object({
  format: Type.Enum(['none', 'json', 'avro', 'unknown']),
  schema_id: nullable(Type.Integer()),
  schema_guid: nullable(Type.String()),
  text: nullable(Type.String(), 'the text of a JSON value'),
  fields: Type.Array(
    object({
      path: Type.String(),
      type: Type.String({ description: 'the Avro type' }),
      value: Type.String(),
      position: Position,
    }),
  ),
  cut: Type.Boolean({ description: 'whether there are more fields' }),
  error: nullable(object({ position: Position, message: Type.String() })),
});

const Now = nullable(
  object({
    readable: Type.Boolean(),
    order_id: nullable(Type.String()),
    error_code: nullable(Type.String()),
    error_message: nullable(Type.String()),
  }),
  'what would happen to it if it were sent again; null: not known',
);

/** `dlq show`: a dead letter with its bytes and its decoded value. */
export const ShownDeadLetter = object({
  ...DeadLetter.properties,
  marked: nullable(
    object({
      action: Type.Enum(['redriven', 'discarded']),
      at: nullable(Time),
      by: Type.String(),
      why: Type.String(),
    }),
  ),
  headers: RecordHeaders,
  key: nullable(RecordBytes),
  value: nullable(RecordBytes),
  decoded: nullable(DecodedValue),
  now: Now,
  problem: nullable(Type.String(), 'why it could not be decoded, such as an unreachable registry'),
});
export type ShownDeadLetter = Document<typeof ShownDeadLetter>;

/** A dead letter that `dlq redrive` sends or would send. */
export const RedrivenDeadLetter = object({
  type: Type.Enum(['sent', 'would_send']),
  id: ID,
  error_code: nullable(Type.String()),
  topic: Type.String(),
  partition: nullable(Count),
  offset: nullable(Count),
  now: Now,
});
export type RedrivenDeadLetter = Document<typeof RedrivenDeadLetter>;

/** A dead letter that was sent but never acknowledged: it may or may not have arrived. */
export const UnknownDeadLetter = object({ type: Type.Literal('unknown'), id: ID, topic: Type.String() });
export type UnknownDeadLetter = Document<typeof UnknownDeadLetter>;

/** A dead letter that `dlq redrive` does not send. */
export const SkippedDeadLetter = object({
  type: Type.Literal('skipped'),
  id: ID,
  reason: Type.Enum([
    'redriven',
    'discarded',
    'no_original_topic',
    'topic_missing',
    'topic_unread',
    'quarantined',
    'too_large',
    'refused',
  ]),
  message: Type.String(),
});
export type SkippedDeadLetter = Document<typeof SkippedDeadLetter>;

/** The result of `dlq discard`. */
export const DiscardedDeadLetters = object({
  topic: nullable(Type.String(), 'the dead-letter topic; null: several'),
  why: Type.String(),
  discarded: Type.Array(ID),
  skipped: Type.Array(object({ id: ID, state: STATE })),
});
export type DiscardedDeadLetters = Document<typeof DiscardedDeadLetters>;
