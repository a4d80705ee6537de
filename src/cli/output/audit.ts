import type { InFlight } from '../../app/audit/in-flight.ts';
import type { AuditedTopic } from '../../app/audit/topic.ts';
import type { AuditResult } from '../../app/audit/audit.ts';
import type { Audit } from '../../documents/audit.ts';
import type { Difference } from '../../domain/difference.ts';
import { isoTime } from '../../domain/iso-time.ts';
import type { Skip } from '../../app/offsets/skips.ts';
import { wayOut } from '../hints.ts';
import { SKIPPED_BY } from './positions/skipped-by.ts';
import { count, grouped } from './text.ts';

/** Differences printed as text; `-o json` has more. */
const SHOWN = 20;

/** The audit under `-o json`, keys in the order of the contract, optional ones last. */
export function auditDocument(result: AuditResult): Audit {
  const { asOf, checked, topic, services, unsent } = result;
  return {
    ok: result.total === 0,
    as_of: asOf === null ? null : { seq: asOf.seq, at: asOf.at === null ? null : isoTime(asOf.at) },
    checked: {
      items: checked.items,
      orders: checked.orders,
      rejections: checked.rejections,
      records: topic?.records ?? null,
      users: checked.users,
      edits: checked.edits,
      checkout_orders: services.orders,
      unfinished_orders: services.unfinished,
      movements: services.movements,
      facts: services.facts,
    },
    skips: result.skips.map(({ processor, topic: of, partition, from, to, cause, at }) => ({
      processor,
      topic: of,
      partition,
      from,
      to,
      cause,
      at: isoTime(at),
    })),
    differences_total: result.total,
    differences: result.differences.map(differenceDocument),
    repaired: result.repaired.map(differenceDocument),
    records: recordsDocument(topic),
    checkout_records: recordsDocument(result.created),
    in_flight: inFlightDocument(result.inFlight),
    unfinished: services.waiting.map(({ orderId, reader }) => ({ order_id: orderId, waits_for: reader })),
    unsent: total(unsent),
    unsent_by_destination: Object.fromEntries(unsent),
    effects: { owed: services.owed, parked: services.parked },
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

function recordsDocument(topic: AuditedTopic | null): Audit['records'] {
  if (topic === null) return null;
  const { deciding, duplicates, conflicts, deadLetters, skipped } = topic;
  return { deciding, duplicates, conflicts, dead_letters: deadLetters, skipped };
}

function inFlightDocument(inFlight: InFlight | null): Audit['in_flight'] {
  if (inFlight === null) return null;
  const { owed, waiting, unread, deadLettered, byHand, skipped } = inFlight;
  return { owed, waiting, unread, dead_lettered: deadLettered, by_hand: byHand, skipped };
}

export function auditText(result: AuditResult): string {
  const { checked, topic, created, inFlight, services, unsent, differences, repaired, skips, notes } = result;
  const { orders, unfinished, movements, owed, parked } = services;
  const parts = [
    count(checked.items, 'item'),
    count(checked.users, 'user'),
    count(checked.orders, 'accepted order'),
    count(checked.rejections, 'rejection'),
    count(checked.edits, 'edit'),
    ...(orders === 0 ? [] : [count(orders, 'order of the checkout', 'orders of the checkout')]),
    ...(movements === 0 ? [] : [count(movements, 'movement')]),
  ];
  const lines = [`compared ${parts.join(', ')}`];
  if (topic !== null) lines.push(recordsLine(topic, 'record'));
  if (created !== null) lines.push(recordsLine(created, 'record of the checkout', 'records of the checkout'));
  if (unfinished > 0)
    lines.push(
      `in flight: ${count(unfinished, 'order')} of the checkout${inFlight === null ? '' : waitingFor(inFlight)}`,
    );
  if (unsent.size > 0)
    lines.push(`waiting to be sent: ${[...unsent].map(([to, n]) => `${grouped(n)} to ${to}`).join(', ')}`);
  if (owed > 0)
    lines.push(`pending: ${count(owed, 'effect')}${parked > 0 ? `, ${grouped(parked)} of them parked` : ''}`);
  if (result.undelivered > 0) {
    lines.push(
      `${count(result.undelivered, 'dead letter')} too large to send: kept in .orderctl/undelivered/`,
    );
  }
  for (const skip of skips) lines.push(skipLine(skip));
  for (const { message } of notes) lines.push(`note: ${message}`);
  for (const { where, message } of repaired) lines.push(`repaired: ${where}, where ${message}`);
  for (const found of differences.slice(0, SHOWN)) lines.push(`${found.kind}: ${found.message}`);
  if (result.total > SHOWN)
    lines.push(`and ${grouped(result.total - SHOWN)} more; -o json shows the first hundred`);
  lines.push(result.total === 0 ? 'the books balance' : count(result.total, 'difference'));
  return `${lines.join('\n')}\n`;
}

function recordsLine(
  { records, deciding, duplicates, conflicts, deadLetters, skipped }: AuditedTopic,
  ...what: readonly [string, string?]
): string {
  const parts = [
    `${grouped(deciding)} decided`,
    count(duplicates, 'duplicate'),
    count(conflicts, 'conflict'),
    count(deadLetters, 'dead letter'),
    `${grouped(skipped)} skipped`,
  ];
  return `${count(records, ...what)} below the stored positions: ${parts.join(', ')}`;
}

function waitingFor({ owed, waiting, unread, deadLettered, byHand, skipped }: InFlight): string {
  const parts: readonly [number, string][] = [
    [unread, 'to be read'],
    [waiting, 'to be sent'],
    [owed, 'owed'],
    [deadLettered, 'among the dead letters'],
    [byHand, 'to be dispatched by hand'],
    [skipped, 'skipped'],
  ];
  const some = parts.filter(([orders]) => orders > 0);
  return some.length === 0
    ? ''
    : `: ${some.map(([orders, what]) => `${grouped(orders)} ${what}`).join(', ')}`;
}

function skipLine({ processor, topic, partition, from, to, cause, at }: Skip): string {
  const by = processor === 'orders' ? '' : ` by ${processor}`;
  return `skipped${by}: ${topic}/${partition} from ${from} to ${to - 1}, ${SKIPPED_BY[cause]} at ${isoTime(at)}: not read`;
}

function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, n) => sum + n, 0);
}
