import { Failure } from '../../domain/failure.ts';
import type { AvroType, Message, RecordType, ValueOf } from '../../domain/messages/message.ts';
import { isNullable, parseMessage } from '../../domain/messages/parse.ts';
import type { Codec } from '../../ports/codec.ts';
import { Decoder } from './decoder.ts';
import { OwnSchema, type CodecOptions } from './own-schema.ts';
import type { Shape } from './reader.ts';
import { HEADER_BYTES, MAGIC_BYTE } from './wire-format.ts';

/**
 * The codec of a message of the catalogue. Values are read by our own reader, as orders are: the bytes are untrusted,
 * fields count and names of records do not, and JSON takes the same way from there on. They are written by avsc: what
 * we write we trust.
 */
export function createMessageCodec<Schema extends RecordType>(
  { name, schema }: Message<Schema>,
  options: CodecOptions,
): Codec<ValueOf<Schema>> {
  const own = new OwnSchema(schema, options);
  const decoder = new Decoder<ValueOf<Schema>>(own.registry, {
    shape: shapeOf(schema),
    parse: (fields) => {
      const { value, problem } = parseMessage(schema, fields);
      return problem === undefined
        ? { kind: 'message', value }
        : { kind: 'dead_letter', stage: 'validate', ...problem };
    },
  });
  let write: ((value: unknown) => Buffer) | undefined;
  return {
    decode: (records) => decoder.decode(records),
    encode: async (values) => {
      // Not loaded by what only reads.
      write ??= (await import('./avsc-writer.ts')).createWriter(schema);
      const toBytes = write;
      const checked = values.map((value, at) => {
        const { value: parsed, problem } = parseMessage(schema, value);
        if (problem === undefined) return parsed;
        throw new Failure('invalid_value', `message ${at + 1} of ${name}: ${problem.message}`);
      });
      const header = Buffer.alloc(HEADER_BYTES, MAGIC_BYTE);
      header.writeUInt32BE(await own.id(), 1);
      return checked.map((value) => Buffer.concat([header, toBytes(value)]));
    },
  };
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
