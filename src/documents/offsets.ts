import { Type } from 'typebox';
import { Count, nullable, object, type Document } from './shapes.ts';

const TOPIC = nullable(Type.String(), 'null: the processor reads several, see partitions');

/** `offsets show`. */
export const Offsets = object({
  topic: TOPIC,
  group: Type.String(),
  group_state: Type.String({ description: "Kafka's name of it in snake_case, such as empty or stable" }),
  total_lag: Type.Integer(),
  processor: Type.String(),
  partitions: Type.Array(
    object({
      topic: Type.String(),
      partition: Count,
      start: Count,
      committed: nullable(Count),
      stored: nullable(Count),
      end: Count,
      lag: Type.Integer({ description: 'end less stored' }),
    }),
  ),
});
export type Offsets = Document<typeof Offsets>;

/** `offsets reset` and `offsets undo`. */
export const OffsetsReset = object({
  topic: TOPIC,
  group: Type.String(),
  to: Type.String({ description: 'as it was asked for; from_file, undo' }),
  executed: Type.Boolean(),
  undo_file: nullable(Type.String(), 'what the reset can be taken back with'),
  processor: Type.String(),
  partitions: Type.Array(
    object({
      topic: Type.String(),
      partition: Count,
      before: nullable(Count),
      after: Count,
      start: Count,
      end: Count,
      read_again: Count,
      skipped: Count,
    }),
  ),
});
export type OffsetsReset = Document<typeof OffsetsReset>;
