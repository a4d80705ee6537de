import type { AuditedTopic } from '../../app/audit/topic.ts';
import type { AuditResult } from '../../app/audit/audit.ts';
import type { Audit } from '../../documents/audit.ts';
import type { Difference } from '../../domain/difference.ts';
import { isoTime } from '../../domain/iso-time.ts';
import type { Skip } from '../../app/offsets/skips.ts';
import { wayOut } from '../hints.ts';
import { SKIPPED_BY } from './positions/skipped-by.ts';
import { count, grouped } from './text.ts';

/** Printed as text; `-o json` has more of them. */
const SHOWN = 20;

/** Keys in the order of the contract, then what else is known. */
export function auditDocument(result: AuditResult): Audit {
  const { checked, topic } = result;
  return {
    ok: result.total === 0,
    checked: {
      items: checked.items,
      orders: checked.orders,
      rejections: checked.rejections,
      records: topic?.records ?? null,
      users: checked.users,
      edits: checked.edits,
    },
    skips: result.skips.map(({ processor, topic: of, partition, from, to, cause, at }) => ({
      ...{ processor, topic: of, partition, from, to, cause, at: isoTime(at) },
    })),
    differences_total: result.total,
    differences: result.differences.map(differenceDocument),
    repaired: result.repaired.map(differenceDocument),
    records: topic === null ? null : recordsDocument(topic),
    unsent: result.unsent,
    undelivered: result.undelivered,
    notes: result.notes,
  };
}

function differenceDocument({
  kind,
  item,
  orderId,
  expected,
  actual,
  where,
  message,
  fix,
}: Difference): Audit['differences'][number] {
  return {
    kind,
    item,
    order_id: orderId,
    expected,
    actual,
    where,
    message,
    fix: fix === null ? null : wayOut(fix),
  };
}

function recordsDocument({
  deciding,
  duplicates,
  conflicts,
  deadLetters,
  skipped,
}: AuditedTopic): Audit['records'] {
  return { deciding, duplicates, conflicts, dead_letters: deadLetters, skipped };
}

export function auditText(result: AuditResult): string {
  const { checked, topic, total, differences, repaired, skips, notes } = result;
  const parts = [
    count(checked.items, 'item'),
    count(checked.users, 'user'),
    count(checked.orders, 'accepted order'),
    count(checked.rejections, 'rejection'),
    count(checked.edits, 'edit'),
  ];
  const lines = [`compared ${parts.join(', ')}`];
  if (topic !== null) lines.push(recordsLine(topic));
  if (result.unsent > 0) lines.push(`${count(result.unsent, 'dead letter')} wait to be sent`);
  if (result.undelivered > 0) {
    lines.push(
      `${count(result.undelivered, 'dead letter')} too large to send: kept in .orderctl/undelivered/`,
    );
  }
  for (const skip of skips) lines.push(skipLine(skip));
  for (const { message } of notes) lines.push(`note: ${message}`);
  for (const { where, message } of repaired) lines.push(`repaired: ${where}, where ${message}`);
  for (const found of differences.slice(0, SHOWN)) lines.push(`${found.kind}: ${found.message}`);
  if (total > SHOWN) lines.push(`and ${grouped(total - SHOWN)} more; -o json shows the first hundred`);
  lines.push(total === 0 ? 'the books balance' : count(total, 'difference'));
  return `${lines.join('\n')}\n`;
}

function recordsLine({
  records,
  deciding,
  duplicates,
  conflicts,
  deadLetters,
  skipped,
}: AuditedTopic): string {
  const parts = [
    `${grouped(deciding)} decided`,
    count(duplicates, 'duplicate'),
    count(conflicts, 'conflict'),
    count(deadLetters, 'dead letter'),
    `${grouped(skipped)} skipped`,
  ];
  return `${count(records, 'record')} below the stored positions: ${parts.join(', ')}`;
}

function skipLine({ processor, topic, partition, from, to, cause, at }: Skip): string {
  const by = processor === 'orders' ? '' : ` by ${processor}`;
  return `skipped${by}: ${topic}/${partition} from ${from} to ${to - 1}, ${SKIPPED_BY[cause]} at ${isoTime(at)}; no loss, but not read`;
}
