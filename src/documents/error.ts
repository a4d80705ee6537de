import { Type } from 'typebox';
import { nullable, object, PLACE_OR_NULL, Time, type Document } from './shapes.ts';

/** A message on stderr. */
export const LogLine = object({
  type: Type.Literal('log'),
  level: Type.Union([
    Type.Literal('error'),
    Type.Literal('warn'),
    Type.Literal('info'),
    Type.Literal('debug'),
  ]),
  at: Time,
  message: Type.String(),
  about: nullable(
    Type.Literal('order'),
    'the outcome of one order, or counts of the outcomes of several; null: anything else',
  ),
});
export type LogLine = Document<typeof LogLine>;

/** A failure: the last line of stderr. */
export const ErrorDocument = object({
  type: Type.Literal('error'),
  code: Type.String({ description: 'stable error code for programs, such as broker_unreachable' }),
  exit_code: Type.Integer({ minimum: 1 }),
  message: Type.String(),
  fix: nullable(Type.String(), 'what to do about it'),
  file: nullable(Type.String()),
  line: nullable(Type.Integer({ minimum: 1 })),
  ...PLACE_OR_NULL,
  order_id: nullable(Type.String()),
});
export type ErrorDocument = Document<typeof ErrorDocument>;
