import { Type } from 'typebox';
import { Count, nullable, object, type Document } from './shapes.ts';

const TOPIC = nullable(Type.String(), 'null: the processor reads several, see partitions');

/** The output of `offsets show`. */
export const Offsets = object({
  topic: TOPIC,
  group: Type.String(),
  group_state: Type.String({ description: "Kafka's name for it in snake_case, such as empty or stable" }),
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
      lag: Type.Integer({ description: 'end minus stored' }),
    }),
  ),
});
export type Offsets = Document<typeof Offsets>;

/** The output of `offsets reset` and `offsets undo`. */
export const OffsetsReset = object({
  topic: TOPIC,
  group: Type.String(),
  to: Type.String({ description: 'as given on the command line, or from_file or undo' }),
  executed: Type.Boolean(),
  undo_file: nullable(Type.String(), 'the file with which the reset can be undone'),
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
