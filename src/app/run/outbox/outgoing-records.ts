import { isFailure } from '../../../domain/failure.ts';
import { eventHeaders } from '../../../domain/messages/headers.ts';
import { MESSAGES } from '../../../domain/messages/index.ts';
import type { DeclaredMessage, Message } from '../../../domain/messages/message.ts';
import type { OutgoingMessage } from '../../../domain/messages/outgoing.ts';
import { deadLetterTopicOf, topicOf, type TopicNames } from '../../../domain/messages/topic-names.ts';
import type { Codec } from '../../../ports/codec.ts';
import type { Outgoing, OutgoingRecord } from '../../../ports/store.ts';
import { EFFECT_STAGE } from '../../dlq/headers.ts';
import { deadLetterHeaders } from '../batches/dead-letters.ts';
import type { CodecOf } from '../events.ts';
import { groupOf } from '../groups.ts';

/** What is to be sent, as a record. */
export interface Prepared {
  readonly of: Outgoing;
  readonly record: OutgoingRecord;
  /** False: its schema cannot hold its fields. It is never sent, and the value of `record` is JSON. */
  readonly canBeSent: boolean;
}

export interface EncodingParts {
  readonly storeId: string;
  readonly names: TopicNames;
  readonly codecOf: CodecOf;
  /** As RunOptions.group. */
  readonly group: string;
}

/**
 * Outgoing messages as records, the same whenever they are made again; dead letters are records already.
 *
 * @returns one for each, in their order
 * @throws Failure as Codec.encode, but for invalid_value
 */
export async function toRecords(
  outgoing: readonly Outgoing[],
  parts: EncodingParts,
): Promise<readonly Prepared[]> {
  const values = new Map<Outgoing, Uint8Array | null>();
  for (const [type, messages] of byType(outgoing)) {
    const encoded = await encode(await parts.codecOf(messageOf(type)), messages);
    messages.forEach((message, at) => values.set(message, encoded[at] ?? null));
  }
  return outgoing.map((of) => {
    if (of.kind === 'record') return { of, record: of, canBeSent: true };
    const value = values.get(of) ?? null;
    const { id, key, fields } = of;
    const record: OutgoingRecord = {
      ...{ kind: 'record', id, ...wayOf(of, parts), key: Buffer.from(key) },
      value: value ?? Buffer.from(JSON.stringify(fields)),
    };
    return { of, record, canBeSent: value !== null };
  });
}

function wayOf(of: OutgoingMessage, parts: EncodingParts): Pick<OutgoingRecord, 'topic' | 'headers'> {
  const { id, at, traceparent, deadLetter } = of;
  const message = messageOf(of.type);
  const topic = topicOf(message, parts.names);
  if (deadLetter === undefined) {
    const headers = eventHeaders(message, { id, store: parts.storeId, at, traceparent });
    return { topic, headers: Object.entries(headers) };
  }
  const { record, processor, code, message: why, attempts } = deadLetter;
  const context = { group: groupOf(processor, parts.group), failedAt: at };
  const reason = { code, message: why, stage: EFFECT_STAGE, attempts };
  const headers = deadLetterHeaders(record, reason, context);
  const trace = traceparent === null ? [] : [['traceparent', traceparent] as const];
  return { topic: deadLetterTopicOf(message, parts.names) ?? topic, headers: [...trace, ...headers] };
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

function byType(outgoing: readonly Outgoing[]): Map<string, OutgoingMessage[]> {
  const types = new Map<string, OutgoingMessage[]>();
  for (const one of outgoing) {
    if (one.kind === 'record') continue;
    const same = types.get(one.type);
    if (same === undefined) types.set(one.type, [one]);
    else same.push(one);
  }
  return types;
}

function isMessage(message: DeclaredMessage): message is Message {
  return message.schema !== null;
}

function messageOf(type: string): Message {
  const found = MESSAGES.find(({ name }) => name === type);
  if (found === undefined || !isMessage(found)) throw new Error(`there is no message ${type}`);
  return found;
}
