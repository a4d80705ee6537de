import { Type } from 'typebox';
import { DeadLetter } from '../dead-letter.ts';
import { nullable, object, type Document } from '../shapes.ts';

export const DeadLetterPage = object({
  dead_letters: Type.Array(DeadLetter, { description: 'the latest first' }),
  next: nullable(Type.String(), 'the cursor of the next page; null: there is none'),
});
export type DeadLetterPage = Document<typeof DeadLetterPage>;
