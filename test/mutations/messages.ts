import type { Mutation } from './list.ts';

const domain = (name: string): string => `src/domain/messages/${name}`;
const CODEC = ['test/unit/avro/messages.test.ts'];
const TOPICS = ['test/app/topics.test.ts'];
const DOMAIN = ['test/unit/domain/messages.test.ts'];

/** The catalogue of messages and its codecs. */
export const MESSAGES: readonly Mutation[] = [
  {
    name: 'a number of which the last bits are beyond 32 is written as another',
    file: 'src/adapters/avro/write-values.ts',
    from: 'rest = Math.floor(rest / 64);',
    to: 'rest >>>= 6;',
    tests: CODEC,
  },
  {
    name: 'an amount loses its sign where its last byte has none to spare',
    file: 'src/adapters/avro/write-values.ts',
    from: 'hundredths >= 2 ** (8 * sizeBytes - 1) ||',
    to: 'hundredths >= 2 ** (8 * sizeBytes) ||',
    tests: CODEC,
  },
  {
    name: 'what the schema cannot hold is written',
    file: 'src/adapters/avro/messages/codec.ts',
    from: 'if (bytes) return bytes;',
    to: 'return bytes ?? Buffer.alloc(5);',
    tests: CODEC,
  },
  {
    name: 'a name outside the alphabet is written',
    file: 'src/adapters/avro/messages/writer.ts',
    from: "(typeof value !== 'string' || isName(value)) && write(value, into)",
    to: "(typeof value !== 'string' || value !== '') && write(value, into)",
    tests: CODEC,
  },
  {
    name: 'a value that does not fit what is left of a buffer is cut off',
    file: 'src/adapters/avro/messages/writer.ts',
    from: 'this.bytes.set(begun);',
    to: '',
    tests: CODEC,
  },
  {
    name: 'the reader of our own layout takes any text for a name',
    file: 'src/adapters/avro/messages/reader.ts',
    from: "typeof value !== 'string' || isName(value) ? value : undefined",
    to: 'value',
    tests: CODEC,
  },
  {
    name: 'the reader of our own layout ignores what follows the value',
    file: 'src/adapters/avro/messages/reader.ts',
    from: 'cursor.left === 0 ? value : undefined',
    to: 'value',
    tests: CODEC,
  },
  {
    name: 'the reader of our own layout takes an amount of any size',
    file: 'src/adapters/avro/messages/reader.ts',
    from: 'if (!(hundredths < 1e10)) return undefined;',
    to: '',
    tests: CODEC,
  },
  {
    name: "a field is not found by the reader's alias in Avro",
    file: 'src/adapters/avro/messages/codec.ts',
    from: '[field.name, ...(field.aliases ?? [])].map((name) => [',
    to: '[field.name].map((name) => [',
    tests: CODEC,
  },
  {
    name: 'a field that is missing has no default',
    file: domain('parse.ts'),
    from: '  if (value !== undefined) return value;\n',
    to: '',
    tests: CODEC,
  },
  {
    name: 'a symbol that the reader lacks is taken',
    file: domain('parse.ts'),
    from: "typeof value === 'string' && type.symbols.includes(value)",
    to: "typeof value === 'string'",
    tests: CODEC,
  },
  {
    name: 'a problem is named without its place in a list',
    file: domain('parse.ts'),
    from: '`${path}[${at}]`',
    to: '`${path}[]`',
    tests: CODEC,
  },
  {
    name: 'an amount of money is rounded',
    file: 'src/domain/orders/price.ts',
    from: String.raw`(?:\.(\d{0,2})0*)?$/;`,
    to: String.raw`(?:\.(\d{0,2})\d*)?$/;`,
    tests: DOMAIN,
  },
  {
    name: 'dead letters are as large as the first topic that they come from takes',
    file: 'src/domain/topics/declared-topics.ts',
    from: 'Math.max(...carriedBytes)',
    to: '(carriedBytes[0] ?? 0)',
    tests: TOPICS,
  },
  {
    name: 'a topic that has another name leaves its dead letters behind',
    file: domain('topic-names.ts'),
    from: '`${topicOf(message, names)}.dlq`',
    to: '`${message.name}.dlq`',
    tests: TOPICS,
  },
  {
    name: 'two messages may lie on one topic',
    file: domain('select.ts'),
    from: '      if (owner === name) continue;',
    to: "      if (owner !== '') continue;",
    tests: TOPICS,
  },
  {
    name: 'a topic may be named for a message that there is not',
    file: domain('select.ts'),
    from: 'find((name) => !known.has(name))',
    to: 'find((name) => known.size === 0 && name)',
    tests: TOPICS,
  },
  {
    name: 'a cluster that is too small for the copies is no warning',
    file: 'src/app/topics/plan.ts',
    from: 'copies < possible || copies >= declared.replication',
    to: 'copies <= possible || copies >= declared.replication',
    tests: TOPICS,
  },
  {
    name: 'two causes have one id',
    file: domain('headers.ts'),
    from: "if (!part.includes('/') && !part.includes('%')) return part;",
    to: 'if (part.length > 0) return part;',
    tests: DOMAIN,
  },
  {
    name: 'a trace that is none goes on',
    file: domain('trace.ts'),
    from: 'text !== null && TRACEPARENT.test(text)',
    to: "text !== null && text !== ''",
    tests: DOMAIN,
  },
];
