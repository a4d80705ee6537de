import type { Message, ValueOf } from './message.ts';
import { eventId, type Cause } from './headers.ts';

/** A message that a commit left to be sent. */
export interface OutgoingMessage {
  readonly kind: 'message';
  /** Its `ce_id`: the same when it is sent twice. */
  readonly id: string;
  /** The name of its message in the catalogue. */
  readonly type: string;
  /** Of the record. */
  readonly key: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** When it was committed: milliseconds since the epoch. */
  readonly at: number;
  /** As in Cause. */
  readonly traceparent: string | null;
}

/** A message to be committed with what caused it. */
export function outgoing<M extends Message>(
  message: M,
  fields: ValueOf<M['schema']>,
  cause: Cause,
): OutgoingMessage {
  const values: Readonly<Record<string, unknown>> = { ...(fields as object) };
  return {
    kind: 'message',
    id: eventId(message, cause),
    type: message.name,
    key: String(values[message.key]),
    fields: values,
    at: cause.at,
    traceparent: cause.traceparent,
  };
}
