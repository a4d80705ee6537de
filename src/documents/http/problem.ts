import { Type } from 'typebox';
import { nullable, object, type Document } from '../shapes.ts';

/** A failure over HTTP (RFC 9457), with the same code as on the command line. */
export const Problem = object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer({ minimum: 400, maximum: 599 }),
  code: Type.String({ description: 'stable error code for programs, such as broker_unreachable' }),
  detail: Type.String(),
  fix: Type.String({ description: 'what to do about it' }),
  order_id: nullable(Type.String()),
});
export type Problem = Document<typeof Problem>;
