import { isoTime } from '../../../domain/iso-time.ts';
import { formatRecordId, recordTime, type RecordId } from '../../../domain/orders/order.ts';
import type { BrokerRecord } from '../../../ports/broker.ts';
import { headerText, lastHeader, type Headers } from '../../../ports/record.ts';
import { withHeaders } from '../../dlq/headers.ts';
import type { OutgoingRecord } from '../../../ports/store.ts';

/** Why a record is a dead letter. */
interface Reason {
  readonly code: string;
  readonly stage: string;
  readonly message: string;
  readonly attempts: number;
}

/** The record for the dead-letter topic: the original key, value and headers, plus headers that say why it failed. */
export function deadLetter(
  record: BrokerRecord,
  id: RecordId,
  why: Omit<Reason, 'attempts'>,
  context: { dlqTopic: string; group: string; failedAt: number },
): OutgoingRecord {
  const { headers: original } = record;
  const timestamp = recordTime(record.timestamp) ?? context.failedAt;
  const reason = { ...why, attempts: earlierAttempts(original) + 1 };
  const headers = withHeaders(original, deadLetterHeaders(id, reason, { ...context, timestamp }));
  const { dlqTopic: topic } = context;
  return { kind: 'record', id: formatRecordId(id), topic, key: record.key, value: record.value, headers };
}

/** @param context `timestamp` of the record, if known; times in milliseconds since the epoch */
export function deadLetterHeaders(
  id: RecordId,
  why: Reason,
  context: { readonly group: string; readonly failedAt: number; readonly timestamp?: number },
): (readonly [name: string, value: string])[] {
  const { timestamp } = context;
  return [
    ['x-original-topic', id.topic],
    ['x-original-partition', String(id.partition)],
    ['x-original-offset', String(id.offset)],
    ...(timestamp === undefined ? [] : [['x-original-timestamp', isoTime(timestamp)] as const]),
    ['x-original-group', context.group],
    ['x-error-code', why.code],
    ['x-error-message', why.message],
    ['x-error-stage', why.stage],
    ['x-attempts', String(why.attempts)],
    ['x-failed-at', isoTime(context.failedAt)],
  ];
}

/** A record that was redriven before has a header with the number of its tries. */
function earlierAttempts(headers: Headers): number {
  const text = headerText(lastHeader(headers, 'x-attempts'));
  return text !== null && /^\d{1,6}$/.test(text) ? Number(text) : 0;
}
