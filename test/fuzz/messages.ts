import fc from 'fast-check';
import { createMessageCodec } from '../../src/adapters/avro/messages/codec.ts';
import { MESSAGES } from '../../src/domain/messages/index.ts';
import type { Message } from '../../src/domain/messages/message.ts';
import { isFields } from '../../src/domain/messages/fields.ts';
import { ORDER } from '../../src/domain/messages/shop/order.ts';
import { DEAD_LETTER_CODES, type Codec } from '../../src/ports/codec.ts';
import { FakeRegistry } from '../support/fake-registry.ts';
import { valuesOf } from '../support/message-values.ts';
import {
  cut,
  draws,
  EVIL_NAMES,
  EVIL_NUMBERS,
  EVIL_VALUES,
  flipped,
  framed,
  type Draw,
} from './hostile-records.ts';

/*
 * Bytes on the topic of every message of the catalogue, from honest ones to none. Each is read, as something that can be
 * sent again and is the same then, or is a dead letter with a code and a short message.
 */

export interface MessageCounts {
  messages: number;
  read: number;
  byCode: Record<string, number>;
}

export function noMessageCounts(): MessageCounts {
  return { messages: 0, read: 0, byCode: {} };
}

const SAMPLES = 40;

/**
 * @param each how many of each message
 * @throws Error what was found, naming seed and message
 */
export async function fuzzMessages(seed: number, each: number, counts: MessageCounts): Promise<void> {
  const registry = await FakeRegistry.start();
  try {
    for (const declared of MESSAGES) {
      // Orders have a codec of their own, and records.ts.
      if (declared.schema === null || declared.name === ORDER.name) continue;
      const message = declared as Message;
      const subject = `${message.name}-value`;
      const codec = createMessageCodec(message, {
        url: registry.url,
        credentials: null,
        subject,
        register: true,
      });
      try {
        await fuzzMessage(message, codec, { seed, each, counts });
      } catch (error) {
        throw new Error(`seed ${seed}, ${message.name}`, { cause: error });
      }
    }
  } finally {
    await registry.stop();
  }
}

async function fuzzMessage(
  { schema }: Message,
  codec: Codec<unknown>,
  { seed, each, counts }: { seed: number; each: number; counts: MessageCounts },
): Promise<void> {
  const draw = draws(seed);
  const values = fc.sample(valuesOf(schema), { seed, numRuns: SAMPLES });
  const avro = (await codec.encode(values)).map((value) => Buffer.from(value));
  const made = Array.from({ length: each }, () => bytesOf(draw, avro, values));
  const records = made.map((value, offset) => ({ offset, timestamp: 99, key: null, value, headers: [] }));
  const decoded = await codec.decode(records);
  if (decoded.length !== each) throw new Error(`${each} records have ${decoded.length} results`);
  for (const [at, result] of decoded.entries()) {
    const record = records[at];
    if (record === undefined) continue;
    counts.messages += 1;
    const bytes = record.value?.toString('base64') ?? 'none';
    if (result.kind === 'dead_letter') {
      counts.byCode[result.code] = (counts.byCode[result.code] ?? 0) + 1;
      const isKnown = (DEAD_LETTER_CODES as readonly string[]).includes(result.code);
      if (!isKnown || result.message.length > 400) throw new Error(`${bytes}: ${JSON.stringify(result)}`);
      continue;
    }
    counts.read += 1;
    const [again] = await codec.encode([result.value]);
    const [same] = await codec.decode([{ ...record, value: again ?? null }]);
    if (inUtf8(same) !== inUtf8(result)) {
      throw new Error(`${bytes} is ${JSON.stringify(result)}, and then ${JSON.stringify(same)}`);
    }
  }
  if ('polluted' in {}) throw new Error('the prototype of objects was changed');
}

/** Half a character, which JSON can say, is no text in Avro. */
function inUtf8(result: unknown): string {
  return JSON.stringify(result).replaceAll(/\\ud[89a-f][0-9a-f]{2}/g, '\ufffd');
}

function bytesOf(draw: Draw, avro: readonly Buffer[], values: readonly unknown[]): Buffer | null {
  const { below, pick, bytes } = draw;
  const honest = (): Buffer => Buffer.from(JSON.stringify(pick(values)));
  return pick<() => Buffer | null>([
    () => null,
    () => bytes(below(80)),
    () => framed(pick([1, 2, 9_999, 2 ** 31]), bytes(below(60))),
    () => pick(avro),
    () => cut(draw, pick(avro)),
    () => flipped(draw, pick(avro)),
    () => flipped(draw, pick(avro)),
    honest,
    () => cut(draw, honest()),
    () => flipped(draw, honest()),
    () => evil(draw, pick(values)),
    () => evil(draw, pick(values)),
  ])();
}

/** JSON with one or two fields that are something else, or missing. */
function evil({ below, pick }: Draw, value: unknown): Buffer {
  const fields = structuredClone(value) as Record<string, unknown>;
  for (let times = 1 + below(2); times > 0; times--) {
    const name = pick(Object.keys(fields));
    const list = fields[name];
    const line: unknown = Array.isArray(list) ? pick(list) : null;
    const within =
      isFields(line) && Object.keys(line).length > 0 ? (line as Record<string, unknown>) : fields;
    const at = within === fields ? name : pick(Object.keys(within));
    if (below(6) === 0) Reflect.deleteProperty(within, at);
    else within[at] = pick<unknown>([pick(EVIL_NAMES), pick(EVIL_NUMBERS), pick(EVIL_VALUES)]);
    if (Object.keys(fields).length === 0) break;
  }
  return Buffer.from(
    JSON.stringify(fields).replace('{', below(9) === 0 ? '{"__proto__":{"polluted":true},' : '{'),
  );
}
