import type { EffectKind } from '../effects.ts';
import type { RecordId } from '../orders/order.ts';
import type { Message, MessageOf, ProcessorName } from './message.ts';
import { eventId, type Cause } from './headers.ts';

/** Why a message could not be handled in the end, though it was read: what headers of dead letters say. */
export interface SetAsideFor {
  /** `x-error-code`. */
  readonly code: string;
  /** `x-error-message`. */
  readonly message: string;
  readonly attempts: number;
  readonly processor: ProcessorName;
  /** Where the message was read. */
  readonly record: RecordId;
}

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
  /** It goes to the dead-letter topic of its message, for this. */
  readonly deadLetter?: SetAsideFor;
}

/**
 * A message to be committed with what caused it.
 *
 * @param fields a function for a message that holds its own id
 */
export function outgoing<V extends object>(
  message: MessageOf<V>,
  fields: V | ((id: string) => V),
  cause: Cause,
): OutgoingMessage {
  const id = eventId(message, cause);
  const values = (typeof fields === 'function' ? fields(id) : fields) as Readonly<Record<string, unknown>>;
  const { at, traceparent } = cause;
  const key = String(values[message.key]);
  return { kind: 'message', id, type: message.name, key, fields: values, at, traceparent };
}

/**
 * A message that was read, as a dead letter, because what it asked of the outside came to nothing. It has the fields that
 * it came with, and is encoded again.
 */
export function setAside(
  { name, key }: Message,
  fields: Readonly<Record<string, unknown>>,
  why: SetAsideFor,
  cause: Pick<Cause, 'at' | 'traceparent'> & {
    /** What came to nothing: one message may ask for several things. */
    readonly asked: EffectKind;
  },
): OutgoingMessage {
  const { topic, partition, offset } = why.record;
  return {
    kind: 'message',
    id: `${topic}/${partition}@${offset}/${why.processor}/${cause.asked}/${why.attempts}`,
    type: name,
    key: String(fields[key]),
    fields,
    at: cause.at,
    traceparent: cause.traceparent,
    deadLetter: why,
  };
}
