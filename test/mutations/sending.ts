import type { Mutation } from './list.ts';

/** What is sent, sent again, and travels with it. */
export const SENDING: readonly Mutation[] = [
  {
    name: 'a try that waits to be decided is followed by another',
    file: 'src/app/retries.ts',
    from: 'if (found === undefined) return { root, decided, next };',
    to: 'if (found === undefined) return { root, decided, next: retryId(root, number + 1) };',
    tests: ['test/app/produce-replay.test.ts'],
  },
  {
    name: 'an order and its rejected try are both tried again',
    file: 'src/app/replay-selection.ts',
    from: 'if (met.has(tries.root)) continue;',
    to: 'if (met.has(tries.next)) continue;',
    tests: ['test/app/produce-replay.test.ts'],
  },
  {
    name: 'a try of a try is an order of its own',
    file: 'src/app/retries.ts',
    from: 'const root = await rootOf(reader, order);',
    to: 'const root = order.orderId;',
    tests: ['test/app/produce-replay.test.ts'],
  },
  {
    name: 'an order that was accepted under another id is sent again',
    file: 'src/app/replay-selection.ts',
    from: "if (last?.outcome.kind === 'accepted' && !filter.again) {",
    to: "if (last?.outcome.kind === 'accepted' && filter.limit === 0) {",
    tests: ['test/app/produce-replay.test.ts'],
  },
  {
    name: 'another order that is named like a try counts as one',
    file: 'src/app/retries.ts',
    from: 'if (sameContent(found.order, order)) decided.push(found);',
    to: 'decided.push(found);',
    tests: ['test/app/produce-replay.test.ts'],
  },
  {
    name: 'a new id too long for a name is sent',
    file: 'src/app/replay-selection.ts',
    from: 'if (isName(orderId)) return null;',
    to: 'return null;',
    tests: ['test/app/produce-replay.test.ts'],
  },
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
