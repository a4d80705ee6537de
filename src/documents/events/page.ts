import { MESSAGES } from '../../domain/messages/index.ts';
import type { DeclaredMessage } from '../../domain/messages/message.ts';
import { deadLettersOf } from '../../domain/messages/topic-names.ts';

/** The event catalogue for people, in Markdown: the flow, and a table of all messages. */
export function eventsPage(): string {
  return [
    '# Events',
    '',
    'Made from `src/domain/messages/`, as are [asyncapi.json](asyncapi.json) (AsyncAPI 3.1) and the Avro schemas in',
    '`docs/schemas/`. Values are Avro in the Confluent wire format; JSON with the same fields is read everywhere.',
    'Money is a decimal with two places, in JSON a string such as `"12.50"`; times are milliseconds since the epoch, in',
    'JSON ISO 8601 too. Topics have three copies where the cluster has as many brokers.',
    '',
    '```mermaid',
    'flowchart LR',
    ...flow(),
    '```',
    '',
    'Besides, `tracking` reads every topic of the checkout. Of the processors, `orders` is there; the others are being built.',
    '',
    '| topic | key | partitions | days | written by | read by | dead letters | what |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...MESSAGES.map(row),
    '',
  ].join('\n');
}

/** A line for each way from a writer to a reader; what nobody of ours reads ends at its topic. */
function flow(): string[] {
  const lines = new Set<string>();
  for (const { name, writers, readers } of MESSAGES) {
    const ends = readers.filter((reader) => reader !== 'tracking');
    for (const writer of writers) {
      for (const end of ends) lines.add(`  ${node(writer)} -->|${name}| ${node(end)}`);
      if (ends.length === 0) lines.add(`  ${node(writer)} --> ${node(name)}[(${name})]`);
    }
  }
  return [...lines];
}

function node(name: string): string {
  return name.replaceAll(/[^A-Za-z_]/g, '_');
}

function row(message: DeclaredMessage): string {
  const { name, key, partitions, retentionDays, writers, readers, summary, schema } = message;
  const cells = [
    schema === null ? `\`${name}\`` : `[\`${name}\`](schemas/${name}.avsc)`,
    key ?? 'as it came',
    partitions,
    retentionDays,
    writers.join(', '),
    readers.length === 0 ? '–' : readers.join(', '),
    deadLettersOf(message) ?? '–',
    summary,
  ];
  return `| ${cells.join(' | ')} |`;
}
