import { isFailure } from '../../../domain/failure.ts';
import { eventHeaders, traceHeaders } from '../../../domain/messages/headers.ts';
import { MESSAGES } from '../../../domain/messages/index.ts';
import type { DeclaredMessage, Message } from '../../../domain/messages/message.ts';
import type { OutgoingMessage } from '../../../domain/messages/outgoing.ts';
import { deadLetterTopicOf, topicOf, type TopicNames } from '../../../domain/messages/topic-names.ts';
import type { Codec } from '../../../ports/codec.ts';
import type { SendRecord } from '../../../ports/broker.ts';
import type { Outgoing, OutgoingRecord } from '../../../ports/store.ts';
import { EFFECT_STAGE } from '../../dlq/headers.ts';
import { deadLetterHeaders } from '../batches/dead-letters.ts';
import type { CodecOf } from '../events.ts';
import { groupOf } from '../groups.ts';

/** An outgoing message as a record. */
export interface Prepared {
  readonly of: Outgoing;
  readonly topic: string;
  readonly record: Required<Omit<SendRecord, 'link'>>;
  /** False: the schema cannot hold the fields. It is never sent, and the value of `record` is JSON. */
  readonly canBeSent: boolean;
}

/** The form in which a message that is not sent is kept. */
export function keptRecord({ of: { id }, topic, record: { key, value, headers } }: Prepared): OutgoingRecord {
  return { kind: 'record', id, topic, key: typeof key === 'string' ? Buffer.from(key) : key, value, headers };
}

export interface EncodingParts {
  readonly storeId: string;
  readonly names: TopicNames;
  readonly codecOf: CodecOf;
  /** As RunOptions.group. */
  readonly group: string;
}

/**
 * Encodes outgoing messages as records; the same message always gives the same record. Dead letters already are
 * records.
 *
 * @returns one record for each message, in the same order
 * @throws Failure as Codec.encode, except invalid_value
 */
export async function toRecords(
  outgoing: readonly Outgoing[],
  parts: EncodingParts,
): Promise<readonly Prepared[]> {
  const prepared: Prepared[] = [];
  for (const group of ofOneType(outgoing)) {
    const [first] = group;
    if (first?.kind !== 'message') {
      for (const of of group as readonly OutgoingRecord[]) {
        prepared.push({ of, topic: of.topic, record: of, canBeSent: true });
      }
      continue;
    }
    const messages = group as readonly OutgoingMessage[];
    const message = messageOf(first.type);
    const values = await encode(await parts.codecOf(message), messages);
    messages.forEach((of, at) => {
      const value = values[at] ?? null;
      const { topic, headers } = wayOf(of, message, parts);
      const record = { key: of.key, value: value ?? Buffer.from(JSON.stringify(of.fields)), headers };
      prepared.push({ of, topic, record, canBeSent: value !== null });
    });
  }
  return prepared;
}

function wayOf(
  { id, at, traceparent, deadLetter }: OutgoingMessage,
  message: Message,
  parts: EncodingParts,
): Pick<OutgoingRecord, 'topic' | 'headers'> {
  const topic = topicOf(message, parts.names);
  if (deadLetter === undefined) {
    const headers = eventHeaders(message, { id, store: parts.storeId, at, traceparent });
    return { topic, headers };
  }
  const { record, processor, code, message: why, attempts } = deadLetter;
  const context = { group: groupOf(processor, parts.group), failedAt: at };
  const reason = { code, message: why, stage: EFFECT_STAGE, attempts };
  const headers = deadLetterHeaders(record, reason, context);
  return {
    topic: deadLetterTopicOf(message, parts.names) ?? topic,
    headers: [...traceHeaders(traceparent), ...headers],
  };
}

/** @returns null for a message that the schema cannot hold */
async function encode(
  codec: Codec<unknown>,
  messages: readonly OutgoingMessage[],
): Promise<readonly (Uint8Array | null)[]> {
  try {
    return await codec.encode(messages.map(({ fields }) => fields));
  } catch (error) {
    if (!isFailure(error, 'invalid_value')) throw error;
    if (messages.length === 1) return [null];
    const each: (Uint8Array | null)[] = [];
    for (const message of messages) each.push(...(await encode(codec, [message])));
    return each;
  }
}

/** Groups that are encoded together, in order; nearly all messages for one destination have the same type. */
function ofOneType(outgoing: readonly Outgoing[]): Outgoing[][] {
  const groups: Outgoing[][] = [];
  let last: string | null | undefined;
  for (const one of outgoing) {
    const type = one.kind === 'record' ? null : one.type;
    if (type === last) groups.at(-1)?.push(one);
    else groups.push([one]);
    last = type;
  }
  return groups;
}

function isMessage(message: DeclaredMessage): message is Message {
  return message.schema !== null;
}

function messageOf(type: string): Message {
  const found = MESSAGES.find(({ name }) => name === type);
  if (found === undefined || !isMessage(found)) throw new Error(`there is no message ${type}`);
  return found;
}
