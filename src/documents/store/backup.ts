import { Type } from 'typebox';
import { Count, nullable, object, type Document } from '../shapes.ts';

/** What `backup` and `restore` made. */
export const Backup = object({
  from: Type.String({ description: 'the folder that was copied' }),
  to: Type.String({ description: 'the copy' }),
  files: Count,
  size_bytes: Count,
  store_id: nullable(Type.String(), 'the same for both; null when it was never used'),
  positions: Type.Array(
    object({
      topic: Type.String(),
      partition: Count,
      next: Type.Integer({ minimum: 0, description: 'the offset from which the copy reads on' }),
    }),
  ),
});
export type Backup = Document<typeof Backup>;
