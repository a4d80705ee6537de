import { useState } from 'preact/hooks';
import type { OrderRecord } from '../../documents/http/messages.ts';
import { getRecords } from '../data/api.ts';
import { clock, grouped } from '../text.ts';

/** The records of an order, fetched when the section is opened. */
export function Records({ id, isDecided }: { id: string; isDecided: boolean }) {
  const [records, set] = useState<readonly OrderRecord[] | null>(null);
  const [problem, say] = useState('');
  if (!isDecided) return null;
  const ask = async (isOpen: boolean): Promise<void> => {
    if (!isOpen) return;
    const answer = await getRecords(id);
    if (answer.ok) set(answer.body.records);
    say(answer.ok ? '' : answer.detail);
  };
  return (
    <details class="records" onToggle={({ currentTarget }) => void ask(currentTarget.open)}>
      <summary>Records in Kafka, raw and decoded</summary>
      {problem === '' ? null : <p class="bad">{problem}</p>}
      {records === null && problem === '' ? <p class="quiet">Reading from Kafka …</p> : null}
      {(records ?? []).map((record) => (
        <Record key={`${record.topic}/${record.partition}@${record.offset}`} record={record} />
      ))}
    </details>
  );
}

function Record({ record }: { record: OrderRecord }) {
  const { topic, partition, offset, timestamp, value, decoded, headers, problem } = record;
  const schema = decoded?.schema_id ?? decoded?.schema_guid ?? null;
  return (
    <div class="record">
      <h4>
        <code>
          {topic}/{partition}@{offset}
        </code>{' '}
        <small>
          {timestamp === null ? '' : `${clock(timestamp)}, `}
          {value === null ? 'no value' : `${grouped(value.size_bytes)} bytes`}
          {decoded === null ? '' : `, ${decoded.format}`}
          {schema === null ? '' : `, schema ${schema}`}
        </small>
      </h4>
      {problem === null ? null : <p class="bad">{problem}</p>}
      {decoded === null ? null : (
        <pre tabIndex={0}>
          {decoded.text ?? decoded.fields.map(({ path, value: text }) => `${path} = ${text}`).join('\n')}
        </pre>
      )}
      {headers.length === 0 ? null : (
        <pre tabIndex={0}>
          {headers.map(({ name, value: text }) => `${name}: ${text ?? 'null'}`).join('\n')}
        </pre>
      )}
      {value === null ? null : <pre tabIndex={0}>{dump(value.hex)}</pre>}
    </div>
  );
}

/** `00 00 00 00 01 0a  ......`: sixteen bytes per line. */
export function dump(hex: string): string {
  return (hex.match(/.{1,32}/g) ?? [])
    .map((line) => {
      const bytes = line.match(/../g) ?? [];
      const text = bytes.map((byte) => {
        const code = parseInt(byte, 16);
        return code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : '.';
      });
      return `${bytes.join(' ').padEnd(47)}  ${text.join('')}`;
    })
    .join('\n');
}
