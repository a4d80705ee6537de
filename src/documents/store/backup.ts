import { Type } from 'typebox';
import { Count, nullable, object, type Document } from '../shapes.ts';

/** The result of `backup` and `restore`. */
export const Backup = object({
  from: Type.String({ description: 'the folder that was copied' }),
  to: Type.String({ description: 'the copy' }),
  files: Count,
  size_bytes: Count,
  store_id: nullable(Type.String(), 'the same for both; null: the store was never used'),
  positions: Type.Array(
    object({
      topic: Type.String(),
      partition: Count,
      next: Type.Integer({ minimum: 0, description: 'the offset from which the copy resumes reading' }),
    }),
  ),
});
export type Backup = Document<typeof Backup>;
