import { Type } from 'typebox';
import { DeadLetter } from '../dead-letter.ts';
import { nullable, object, type Document } from '../shapes.ts';

export const DeadLetterPage = object({
  dead_letters: Type.Array(DeadLetter, { description: 'newest first' }),
  next: nullable(Type.String(), 'cursor of the next page; null: this is the last page'),
});
export type DeadLetterPage = Document<typeof DeadLetterPage>;
