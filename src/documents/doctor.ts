import { Type } from 'typebox';
import { nullable, object, type Document } from './shapes.ts';

/** The output of `doctor`. */
export const Diagnosis = object({
  ok: Type.Boolean(),
  exit_code: Type.Integer({ minimum: 0 }),
  checks: Type.Array(
    object({
      name: Type.String(),
      state: Type.Enum(['ok', 'warning', 'error', 'skipped']),
      message: Type.String(),
      fix: nullable(Type.String()),
    }),
  ),
});
export type Diagnosis = Document<typeof Diagnosis>;
