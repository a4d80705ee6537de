import type { EffectKind } from '../effects.ts';
import type { RecordId } from '../orders/order.ts';
import type { Message, MessageOf, ProcessorName } from './message.ts';
import { eventId, type Cause } from './headers.ts';

/** Why a message that could be read was not processed in the end, for the headers of its dead letter. */
export interface SetAsideFor {
  /** `x-error-code`. */
  readonly code: string;
  /** `x-error-message`. */
  readonly message: string;
  readonly attempts: number;
  readonly processor: ProcessorName;
  /** The record of the message. */
  readonly record: RecordId;
}

/** A committed message that is still to be sent. */
export interface OutgoingMessage {
  readonly kind: 'message';
  /** Its `ce_id`, the same if it is sent twice. */
  readonly id: string;
  /** The name of the message in the catalogue. */
  readonly type: string;
  /** The key of the record. */
  readonly key: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** When it was committed: milliseconds since the epoch. */
  readonly at: number;
  /** As in Cause. */
  readonly traceparent: string | null;
  /** Present: it is sent to the dead-letter topic of its message, for this reason. */
  readonly deadLetter?: SetAsideFor;
}

/**
 * Creates a message that is committed together with its cause.
 *
 * @param fields the values, or a function of the message's id for a message that contains it
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
 * Creates the dead letter of a message that was read, but whose effect failed. It has the fields of the message, which
 * are encoded again.
 */
export function setAside(
  { name, key }: Message,
  fields: Readonly<Record<string, unknown>>,
  why: SetAsideFor,
  cause: Pick<Cause, 'at' | 'traceparent'> & {
    /** The effect that failed: one message may require several. */
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
