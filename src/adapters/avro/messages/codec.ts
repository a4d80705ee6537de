import { Failure } from '../../../domain/failure.ts';
import type { AvroType, Message, RecordType, ValueOf } from '../../../domain/messages/message.ts';
import { isNullable, parseMessage } from '../../../domain/messages/parse.ts';
import type { Codec } from '../../../ports/codec.ts';
import { Decoder, type FastReader } from '../decoder.ts';
import { hasOwnLayout } from '../layout.ts';
import { OwnSchema, type CodecOptions } from '../own-schema.ts';
import type { Shape } from '../reader.ts';
import { parseSchema } from '../schema.ts';
import { messageReader } from './reader.ts';
import { messageWriter } from './writer.ts';

/**
 * Creates the codec of a message of the catalogue. As for orders, values are read by our own reader: the bytes are
 * untrusted, and only fields count, not record names. JSON goes through the same checks.
 */
export function createMessageCodec<Schema extends RecordType>(
  { name, schema }: Message<Schema>,
  options: CodecOptions,
): Codec<ValueOf<Schema>> {
  const own = new OwnSchema(schema, options);
  const layout = parseSchema(JSON.stringify(schema), []);
  const decoder = new Decoder<ValueOf<Schema>>(own.registry, {
    shape: shapeOf(schema),
    // The reader checks each value against the schema's types.
    fast: (writer) =>
      hasOwnLayout(writer, layout) ? (messageReader(schema) as FastReader<ValueOf<Schema>>) : undefined,
    parse: (fields) => {
      const { value, problem } = parseMessage(schema, fields);
      return problem === undefined
        ? { kind: 'message', value }
        : { kind: 'dead_letter', stage: 'validate', ...problem };
    },
  });
  const write = messageWriter(schema);
  return {
    decode: (records) => decoder.decode(records),
    encode: async (values) => {
      const written = write(values).map((bytes, at) => bytes ?? writeParsed(values[at], at));
      const id = await own.id();
      for (const bytes of written) bytes.writeUInt32BE(id, 1);
      return written;
    },
  };

  /** Writes a value that is not in its final form yet: a time as text, or a field left to its default. */
  function writeParsed(value: unknown, at: number): Buffer {
    const { value: parsed, problem } = parseMessage(schema, value);
    const [bytes] = problem === undefined ? write([parsed]) : [];
    if (bytes) return bytes;
    const why = problem?.message ?? 'it cannot be written';
    throw new Failure('invalid_value', `message ${at + 1} of ${name}: ${why}`);
  }
}

function shapeOf(type: AvroType): Shape {
  if (type === 'string') return 'text';
  if (type === 'int' || type === 'long') return 'number';
  if (isNullable(type)) return shapeOf(type[1]);
  switch (type.type) {
    case 'bytes':
      return 'plain';
    case 'long':
    case 'enum':
      return 'text';
    case 'array':
      return { list: shapeOf(type.items) };
    case 'record':
      return {
        fields: new Map(
          type.fields.flatMap((field) =>
            [field.name, ...(field.aliases ?? [])].map((name) => [name, shapeOf(field.type)] as const),
          ),
        ),
      };
  }
}
