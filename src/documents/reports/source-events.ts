import { Type } from 'typebox';
import { Count, CountByName, object, nullable, Seconds, type Document } from '../shapes.ts';

/** An event that `produce --source` sent; unknown: sent, but never acknowledged. */
export const SentEvent = object({
  type: Type.Enum(['sent', 'unknown']),
  source: Type.Enum(['online', 'store', 'supplier']),
  event_id: Type.String(),
  product_id: Type.String(),
  quantity: Type.Integer(),
  topic: Type.String(),
  partition: nullable(Count),
  offset: nullable(Type.Integer()),
});
export type SentEvent = Document<typeof SentEvent>;

export const SentEventsSummary = object({
  type: Type.Literal('summary'),
  command: Type.Literal('produce'),
  topics: CountByName,
  sent: Count,
  failed: Count,
  unknown: Type.Integer({
    minimum: 0,
    description: 'sent, but never acknowledged: they may or may not have arrived',
  }),
  interrupted: Type.Boolean(),
  seconds: Seconds,
});
export type SentEventsSummary = Document<typeof SentEventsSummary>;
