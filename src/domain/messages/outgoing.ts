import type { Message, RecordType, ValueOf } from './message.ts';
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

/**
 * A message to be committed with what caused it.
 *
 * @param fields a function for a message that holds its own id
 */
export function outgoing<const Schema extends RecordType>(
  message: Message<Schema>,
  fields: ValueOf<Schema> | ((id: string) => ValueOf<Schema>),
  cause: Cause,
): OutgoingMessage {
  const id = eventId(message, cause);
  const given = fields as object | ((id: string) => object);
  const values = (typeof given === 'function' ? given(id) : given) as Readonly<Record<string, unknown>>;
  return {
    kind: 'message',
    id,
    type: message.name,
    key: String(values[message.key]),
    fields: values,
    at: cause.at,
    traceparent: cause.traceparent,
  };
}
