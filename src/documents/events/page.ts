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

/** A processor that this version has. */
interface Present {
  readonly name: ProcessorName;
  readonly sources: readonly DeclaredMessage[];
  readonly emits: readonly DeclaredMessage[];
}

/** What of the senders that are no processors is there: other programs are not ours to miss. */
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
 * The event catalogue for people, in Markdown: the flow, and a table of all messages.
 *
 * @param processors all that this version has, each with everything that it may send
 */
export function eventsPage(processors: readonly Present[]): string {
  const sent = new Map<string, readonly DeclaredMessage[]>(Object.entries(OUTSIDE));
  // Dead letters are sent by whatever reads.
  const carriers = MESSAGES.filter(({ schema }) => schema === null);
  for (const { name, emits } of processors) sent.set(name, [...emits, ...carriers]);
  const read = new Map<string, readonly DeclaredMessage[]>(processors.map((one) => [one.name, one.sources]));
  const ways: Ways = {
    sends: (name, message) => sent.get(name)?.includes(message) === true,
    reads: (name, message) => read.get(name)?.includes(message) === true,
  };
  return [
    '# Events',
    '',
    'Made from `src/domain/messages/`, as are [asyncapi.json](asyncapi.json) (AsyncAPI 3.1) and the Avro schemas in',
    '`docs/schemas/`. Values are Avro in the Confluent wire format; JSON with the same fields is read everywhere.',
    'Money is a decimal with two places, in JSON a string such as `"12.50"`; times are milliseconds since the epoch, in',
    'JSON ISO 8601 too. Topics have three copies where the cluster has as many brokers.',
    '',
    'What is dotted in the picture and in parentheses in the table is declared, and not in this version.',
    '',
    '```mermaid',
    'flowchart LR',
    ...flow(ways),
    '```',
    '',
    'Besides, `tracking` is declared to read every topic of the checkout.',
    '',
    '| topic | key | partitions | days | written by | read by | dead letters | what |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...MESSAGES.map((message) => row(message, ways)),
    '',
  ].join('\n');
}

/** Who sends and reads a message in this version. */
interface Ways {
  readonly sends: (name: string, message: DeclaredMessage) => boolean;
  readonly reads: (name: string, message: DeclaredMessage) => boolean;
}

/** A line for each way from a writer to a reader; what nobody of ours reads ends at its topic. */
function flow({ sends, reads }: Ways): string[] {
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

function row(message: DeclaredMessage, { sends, reads }: Ways): string {
  const { name, key, partitions, retentionDays, writers, readers, summary, schema } = message;
  const cells = [
    schema === null ? `\`${name}\`` : `[\`${name}\`](schemas/${name}.avsc)`,
    key ?? 'as it came',
    partitions,
    retentionDays,
    writers.map((writer) => (sends(writer, message) ? writer : `(${writer})`)).join(', '),
    readers.map((reader) => (reads(reader, message) ? reader : `(${reader})`)).join(', ') || '–',
    deadLettersOf(message) ?? '–',
    summary,
  ];
  return `| ${cells.join(' | ')} |`;
}
