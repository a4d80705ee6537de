import type { ShownDeadLetter } from '../../../app/dlq/show.ts';
import { UNKNOWN } from '../../../app/dlq/filter.ts';
import type { ReadAgain } from '../../../app/dlq/read-again.ts';
import type { ShownDeadLetter as ShownDocument } from '../../../documents/dead-letter.ts';
import { isoTime, isoTimeOrNull } from '../../../domain/iso-time.ts';
import type { BrokerRecord } from '../../../ports/broker.ts';
import type { Inspection } from '../../../ports/inspector.ts';
import type { HeaderValue } from '../../../ports/record.ts';
import { deadLetterDocument, originPlace, sizeOf } from './list.ts';
import { failsAgain, nowDocument, orderIdOf, orderOf } from './read-again.ts';
import { orderInWords } from '../consume/decision.ts';
import { count, printable } from '../text.ts';

/** How many bytes of a key, a value and a header are shown; of longer ones, the size is printed too. */
const KEY_BYTES = 256;
const VALUE_BYTES = 1_024;
const HEADER_CHARACTERS = 300;
const HEADERS = 100;
/** Bytes per line of the dump. */
const LINE_BYTES = 16;

export function shownDocument(shown: ShownDeadLetter): ShownDocument {
  const { deadLetter, mark, inspection, now, problem } = shown;
  return {
    ...deadLetterDocument(deadLetter),
    marked: mark === null ? null : { action: mark.action, at: isoTime(mark.at), by: mark.by, why: mark.why },
    ...recordDocument(deadLetter, inspection),
    now: nowDocument(now),
    problem: problem?.message ?? null,
  };
}

/** A record, raw and decoded, cut to a bounded size. */
export function recordDocument(
  { headers, key, value }: Pick<BrokerRecord, 'headers' | 'key' | 'value'>,
  inspection: Inspection | null,
): Pick<ShownDocument, 'headers' | 'key' | 'value' | 'decoded'> {
  const bytes = (of: Uint8Array | null, limit: number): ShownDocument['key'] =>
    of === null ? null : { size_bytes: of.byteLength, hex: toBuffer(of).subarray(0, limit).toString('hex') };
  return {
    headers: headerEntries(headers).map(([name, text]) => ({ name, value: text })),
    key: bytes(key, KEY_BYTES),
    value: bytes(value, VALUE_BYTES),
    decoded: inspection === null ? null : inspectionDocument(inspection, value),
  };
}

function inspectionDocument(inspection: Inspection, value: Uint8Array | null): ShownDocument['decoded'] {
  const { format, schemaId, schemaGuid, fields, isCut, error } = inspection;
  return {
    format,
    schema_id: schemaId,
    schema_guid: schemaGuid,
    text: format === 'json' ? jsonText(value) : null,
    fields,
    cut: isCut,
    error,
  };
}

export function shownText(shown: ShownDeadLetter): string {
  const { deadLetter, mark, inspection, now, problem } = shown;
  const { origin } = deadLetter;
  const facts: [string, string][] = [['error', errorText(shown)]];
  const place = originPlace(deadLetter);
  facts.push([
    'from',
    [
      place === '' ? 'unknown: not in its headers' : place,
      ...(origin.timestamp === null ? [] : [isoTime(origin.timestamp)]),
      ...(origin.group === null ? [] : [`group ${origin.group}`]),
      ...(origin.format === null ? [] : [`headers of ${origin.format}`]),
    ].join(', '),
  ]);
  const attempts = origin.attempts === null ? '' : `, ${count(origin.attempts, 'attempt')}`;
  facts.push(['failed', `${isoTimeOrNull(deadLetter.failedAt) ?? 'unknown'}${attempts}`]);
  if (origin.replayCount > 0) facts.push(['came back', `${origin.replayCount} times`]);
  if (mark !== null) facts.push([mark.action, `${isoTime(mark.at)} by ${mark.by}: ${printable(mark.why)}`]);
  facts.push(['size', `${sizeOf(deadLetter)} bytes of key and value`]);
  if (problem !== null) facts.push(['decoded', `not: ${problem.message}`]);
  if (now !== null) facts.push(['now', nowText(now)]);
  return [
    `dead letter ${deadLetter.mark.id} of ${deadLetter.topic}: ${deadLetter.state}`,
    ...facts.map(([name, value]) => `  ${name.padEnd(10)} ${value}`),
    'headers',
    ...headerEntries(deadLetter.headers).map(([name, value]) => `  ${name} = ${value ?? 'null'}`),
    ...dump('key', deadLetter.key, KEY_BYTES, null),
    ...dump('value', deadLetter.value, VALUE_BYTES, inspection?.error?.position ?? null),
    ...(inspection === null ? [] : decoded(inspection, deadLetter.value)),
    '',
  ].join('\n');
}

function errorText({ deadLetter: { origin } }: ShownDeadLetter): string {
  const stage = origin.errorStage === null ? '' : ` (${origin.errorStage})`;
  return `${origin.errorCode ?? UNKNOWN}${stage}: ${origin.errorMessage ?? 'no message'}`;
}

function nowText(now: ReadAgain): string {
  if (now.kind !== 'message') return failsAgain(now);
  const order = orderOf(now);
  if (order !== null) return `it can be read: order ${order.orderId} ${orderInWords(order)}`;
  const id = orderIdOf(now);
  return `it can be read${id === null ? '' : `: of order ${id}`}`;
}

/** Every value of every header: as text if it is text, otherwise in hex. */
function headerEntries(
  headers: ShownDeadLetter['deadLetter']['headers'],
): (readonly [string, string | null])[] {
  const shown = headers
    .slice(0, HEADERS)
    .map(([name, value]) => [printable(name).slice(0, HEADER_CHARACTERS), headerText(value)] as const);
  const rest = headers.length - HEADERS;
  return rest > 0 ? [...shown, ['…', `${rest} more`] as const] : shown;
}

function headerText(value: HeaderValue): string | null {
  if (value === null) return null;
  const bytes = typeof value === 'string' ? Buffer.from(value) : toBuffer(value);
  const text = bytes.subarray(0, 4 * HEADER_CHARACTERS).toString('utf8');
  const isText = !/[\p{Cc}\uFFFD]/u.test(text.replaceAll(/[\n\r\t]/g, ' '));
  if (isText) return shorten(printable(text), HEADER_CHARACTERS);
  return shorten(`0x${bytes.subarray(0, HEADER_CHARACTERS).toString('hex')}`, HEADER_CHARACTERS);
}

function shorten(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit)}… (${text.length} characters)`;
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Dumps the first bytes, and those around `position` if it is beyond them. */
function dump(title: string, bytes: Uint8Array | null, limit: number, position: number | null): string[] {
  if (bytes === null) return [`${title}: none`];
  const lines = [`${title}: ${count(bytes.byteLength, 'byte')}`];
  lines.push(...hexLines(bytes, 0, limit));
  const around = position === null ? 0 : position - (position % LINE_BYTES) - LINE_BYTES;
  if (around >= limit) lines.push('  …', ...hexLines(bytes, around, 3 * LINE_BYTES));
  else if (bytes.byteLength > limit) lines.push('  …');
  return lines;
}

function hexLines(bytes: Uint8Array, from: number, limit: number): string[] {
  const lines: string[] = [];
  for (let at = from; at < Math.min(bytes.byteLength, from + limit); at += LINE_BYTES) {
    const row = [...bytes.subarray(at, Math.min(at + LINE_BYTES, from + limit))];
    const hex = row.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`  ${at.toString(16).padStart(8, '0')}  ${hex.padEnd(3 * LINE_BYTES - 1)}  ${text}`);
  }
  return lines;
}

const FORMAT_NAMES = {
  none: 'no value',
  json: 'JSON',
  avro: 'Avro',
  unknown: 'unknown format',
} as const satisfies Readonly<Record<Inspection['format'], string>>;

function decoded(inspection: Inspection, value: Uint8Array | null): string[] {
  const { format, schemaId, schemaGuid, fields, isCut, error } = inspection;
  const schema = schemaId ?? schemaGuid;
  const lines = [`decoded: ${FORMAT_NAMES[format]}${schema === null ? '' : `, schema ${schema}`}`];
  if (format === 'json') lines.push(`  ${jsonText(value) ?? ''}`);
  for (const field of fields) {
    lines.push(`  byte ${field.position}: ${field.path} ${field.type} = ${printable(field.value)}`);
  }
  if (isCut) lines.push('  …');
  if (error !== null) lines.push(`  byte ${error.position}: ${printable(error.message)}`);
  return lines;
}

function jsonText(value: Uint8Array | null): string | null {
  return value === null ? null : printable(toBuffer(value).subarray(0, VALUE_BYTES).toString('utf8'));
}
