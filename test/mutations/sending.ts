import type { Mutation } from './list.ts';

/** What is sent, sent again, and travels with it. */
export const SENDING: readonly Mutation[] = [
  {
    name: 'a header that is null becomes empty',
    file: 'src/adapters/kafka/record-headers.ts',
    from: 'return length < 0 ? null : bytes',
    to: 'return bytes',
    tests: ['test/unit/kafka/record-batch.test.ts'],
  },
  {
    name: 'a header that is null becomes empty in the journal',
    file: 'src/adapters/files/tables.ts',
    from: "  if (value === null) return null;\n  return typeof value === 'string' ? { s",
    to: "  if (value === null) return { s: '' };\n  return typeof value === 'string' ? { s",
    tests: ['test/unit/files/outgoing-line.test.ts'],
  },
  {
    name: 'repeated headers are regrouped when a dead letter is sent again',
    file: 'src/app/dlq-headers.ts',
    from: 'return [...headers.filter(([name]) => !names.has(name)), ...ours];',
    to: 'return [...new Map([...headers.filter(([name]) => !names.has(name)), ...ours])];',
    tests: ['test/unit/dlq-headers.test.ts'],
  },
  {
    name: 'a dead letter has two of a header of ours',
    file: 'src/app/dlq-headers.ts',
    from: 'return [...headers.filter(([name]) => !names.has(name)), ...ours];',
    to: 'return names.size === 0 ? headers : [...headers, ...ours];',
    tests: ['test/app/consume-orders.test.ts'],
  },
  {
    name: 'the first of several headers counts',
    file: 'src/ports/record.ts',
    from: 'headers.findLast(',
    to: 'headers.find(',
    tests: ['test/unit/dlq-headers.test.ts'],
  },
  {
    name: 'a prefix counts before the schema that a header names',
    file: 'src/adapters/avro/avro-codec.ts',
    from: 'const inHeader = schemaInHeader(record);',
    to: 'const inHeader = schemaInPrefix(slice) === undefined ? schemaInHeader(record) : undefined;',
    tests: ['test/unit/avro/schema-header.test.ts'],
  },
];
