import { ORDER_CANCEL } from '../../domain/messages/checkout/order-cancel.ts';
import { ORDER_CREATED } from '../../domain/messages/checkout/order-created.ts';
import { SHIPMENT_DISPATCH } from '../../domain/messages/checkout/shipment-dispatch.ts';
import { MESSAGES } from '../../domain/messages/index.ts';
import type { DeclaredMessage, ProcessorName, Sender } from '../../domain/messages/message.ts';
import { ORDER } from '../../domain/messages/shop/order.ts';
import { ONLINE_ORDER } from '../../domain/messages/stock/online-order.ts';
import { STORE_SALE } from '../../domain/messages/stock/store-sale.ts';
import { SUPPLIER_RESTOCK } from '../../domain/messages/stock/supplier-restock.ts';
import { deadLettersOf } from '../../domain/messages/topic-names.ts';

/** A processor of this version. */
interface Processor {
  readonly name: ProcessorName;
  readonly sources: readonly DeclaredMessage[];
  readonly emits: readonly DeclaredMessage[];
}

/** What each sender other than a processor sends in this version. External programs may send any message. */
const OUTSIDE: Readonly<Record<Sender, readonly DeclaredMessage[]>> = {
  produce: [ORDER, ORDER_CREATED, ONLINE_ORDER, STORE_SALE, SUPPLIER_RESTOCK],
  API: [ORDER, ORDER_CREATED, ORDER_CANCEL],
  'order cancel': [ORDER_CANCEL],
  'order dispatch': [SHIPMENT_DISPATCH],
  shops: MESSAGES,
  tills: MESSAGES,
  suppliers: MESSAGES,
};

/**
 * The event catalogue as a Markdown page: a diagram of the flow and a table of all messages.
 *
 * @param processors all processors of this version, each with every message that it may send
 */
export function eventsPage(processors: readonly Processor[]): string {
  const sent = new Map<string, readonly DeclaredMessage[]>(Object.entries(OUTSIDE));
  // Every processor may send dead letters.
  const carriers = MESSAGES.filter(({ schema }) => schema === null);
  for (const { name, emits } of processors) sent.set(name, [...emits, ...carriers]);
  const read = new Map<string, readonly DeclaredMessage[]>(processors.map((one) => [one.name, one.sources]));
  const usage: Usage = {
    sends: (name, message) => sent.get(name)?.includes(message) === true,
    reads: (name, message) => read.get(name)?.includes(message) === true,
  };
  return [
    '# Events',
    '',
    'This page, [asyncapi.json](asyncapi.json) (AsyncAPI 3.1) and the Avro schemas in `docs/schemas/` are',
    'generated from `src/domain/messages/`. Values are Avro in the Confluent wire format; JSON with the same fields',
    'is accepted everywhere. Money is a decimal with two places, in JSON a string such as `"12.50"`; times are',
    'milliseconds since the epoch, in JSON optionally ISO 8601. Topics have three replicas if the cluster has at',
    'least three brokers.',
    '',
    'Dotted lines in the diagram and parentheses in the table mark what is declared but not part of this version.',
    '',
    '```mermaid',
    'flowchart LR',
    ...flow(usage),
    '```',
    '',
    'In addition, `tracking` is declared as a reader of every checkout topic.',
    '',
    '| topic | key | partitions | days | written by | read by | dead letters | content |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...MESSAGES.map((message) => row(message, usage)),
    '',
  ].join('\n');
}

/** Which programs send and read a message in this version. */
interface Usage {
  readonly sends: (name: string, message: DeclaredMessage) => boolean;
  readonly reads: (name: string, message: DeclaredMessage) => boolean;
}

/** One line per pair of writer and reader; a message that no processor reads ends at its topic. */
function flow({ sends, reads }: Usage): string[] {
  const lines = new Set<string>();
  for (const message of MESSAGES) {
    const { name, writers, readers } = message;
    for (const writer of writers) {
      const isSent = sends(writer, message);
      for (const end of readers) {
        const arrow = isSent && reads(end, message) ? '-->' : '-.->';
        lines.add(`  ${node(writer)} ${arrow}|${name}| ${node(end)}`);
      }
      if (readers.length === 0) {
        lines.add(`  ${node(writer)} ${isSent ? '-->' : '-.->'} ${node(name)}[(${name})]`);
      }
    }
  }
  return [...lines];
}

function node(name: string): string {
  return name.replaceAll(/[^A-Za-z_]/g, '_');
}

function row(message: DeclaredMessage, { sends, reads }: Usage): string {
  const { name, key, partitions, retentionDays, writers, readers, summary, schema } = message;
  const cells = [
    schema === null ? `\`${name}\`` : `[\`${name}\`](schemas/${name}.avsc)`,
    key ?? 'unchanged',
    partitions,
    retentionDays,
    writers.map((writer) => (sends(writer, message) ? writer : `(${writer})`)).join(', '),
    readers.map((reader) => (reads(reader, message) ? reader : `(${reader})`)).join(', ') || '–',
    deadLettersOf(message) ?? '–',
    summary,
  ];
  return `| ${cells.join(' | ')} |`;
}
