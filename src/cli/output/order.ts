import type { Explanation, ExplainedRecord } from '../../app/orders/explain.ts';
import type { Explanation as ExplanationDocument } from '../../documents/order.ts';
import { orderDocument } from '../../documents/write/order.ts';
import type { Decided, Outcome } from '../../domain/orders/decided.ts';
import { isoTime, isoTimeOrNull } from '../../domain/iso-time.ts';
import { formatRecordId, totalsByItem, userOf, type Order } from '../../domain/orders/order.ts';
import type { Reason } from '../../domain/orders/reasons.ts';
import { SKIPPED_BY } from './positions/skipped-by.ts';

/** The document of an order without a decision, with the same keys. */
function undecidedDocument(order: Order) {
  return {
    order_id: order.orderId,
    status: null,
    reason: null,
    detail: null,
    user: userOf(order),
    user_status: null,
    items: order.items.map(({ item, quantity }) => ({ item, quantity, stock: null })),
    created_at: isoTime(order.createdAt),
    decided_at: null,
    topic: null,
    partition: null,
    offset: null,
  };
}

/** @param rephrase as Printer.rephrased */
export function explainDocument(
  explained: Explanation,
  rephrase: (text: string) => string,
): ExplanationDocument {
  const { order, decided, records, scanned } = explained;
  return {
    ...(decided === null ? undecidedDocument(order) : orderDocument(decided)),
    explanation: explanationOf(explained),
    records: records.map(({ topic, partition, offset, timestamp, role, replayId }) => ({
      topic,
      partition,
      offset,
      timestamp: isoTimeOrNull(timestamp),
      role,
      replay_id: replayId,
    })),
    scanned,
    retry_of: explained.retryOf,
    retries: explained.retries.map(({ order: { orderId }, outcome }) => ({
      order_id: orderId,
      status: outcome.kind,
    })),
    next: nextSteps(explained).map(rephrase),
  };
}

/** The facts of a decision, one a line. */
export function orderText({ order, record, outcome, decidedAt, archivedIn }: Decided): string {
  const isRejected = outcome.kind === 'rejected';
  const userStatus = isRejected ? (outcome.userStatus ?? 'does not exist') : 'paid';
  const facts: [string, string][] = [
    ['order', order.orderId],
    ['status', isRejected ? `rejected: ${outcome.reason}, ${outcome.detail}` : 'accepted'],
    ['user', `${order.user} (${userStatus})`],
    ...order.items.map(({ item, quantity, unitPrice }, at): [string, string] => {
      const price = unitPrice === null ? '' : ` at ${unitPrice}`;
      const stock = outcome.stock[at] ?? null;
      const onHand = stock === null ? ' (does not exist)' : ` (${stock} on hand)`;
      return [
        at === 0 ? 'items' : '',
        `${item}×${quantity}${price}${archivedIn === undefined ? onHand : ''}`,
      ];
    }),
    ['created', isoTime(order.createdAt)],
    ['decided', isoTime(decidedAt)],
    ['record', formatRecordId(record)],
    ...(archivedIn === undefined ? [] : [archivedFact(archivedIn)]),
  ];
  return facts.map(([name, value]) => `${name.padEnd(10)}${value}\n`).join('');
}

function archivedFact(file: string): [string, string] {
  return ['archived', `in ${file}, with prices and stock: --archive DIR`];
}

/** @param rephrase as Printer.rephrased */
export function explainText(explained: Explanation, rephrase: (text: string) => string): string {
  const { decided, order, records, scanned } = explained;
  const facts = decided === null ? `order     ${order.orderId} (not decided)\n` : orderText(decided);
  const lines = records.map(recordLine);
  const search = scanned ? [] : ['  (the topic was not searched for more records: use --scan)'];
  const next = nextSteps(explained).map((step) => `  - ${rephrase(step)}`);
  return [
    `${facts}\n${explanationOf(explained)}`,
    ['', 'records', ...lines, ...search].join('\n'),
    ['', 'next', ...next, ''].join('\n'),
  ].join('\n');
}

/** `skipped by a reset at …`; empty if the record was not skipped. */
function skippedIn({ skip }: ExplainedRecord): string {
  return skip === null ? '' : `skipped ${SKIPPED_BY[skip.cause]} at ${isoTime(skip.at)}`;
}

function recordLine(record: ExplainedRecord): string {
  const { timestamp, role, replayId, skip } = record;
  const time = timestamp === null ? '' : `, ${isoTime(timestamp)}`;
  const replay = replayId === null ? '' : `, sent by replay ${replayId}`;
  const skipped = skip === null ? '' : `, ${skippedIn(record)}`;
  return `  ${formatRecordId(record)}: ${role}${time}${replay}${skipped}`;
}

/** The rule behind each reason. */
const RULES: Readonly<Record<Reason, string>> = {
  unknown_user: 'only users of users.csv may order',
  user_not_paid: 'only users who have paid may order',
  invalid_quantity: 'every line needs a whole quantity of at least 1',
  unknown_item: 'only items of inventory.csv can be ordered',
  insufficient_stock: 'an order is filled completely or not at all, so no stock was taken',
};

function explanationOf(explained: Explanation): string {
  const { decided, order, records, unreadable, scanned } = explained;
  const more = otherTries(explained) + (scanned ? otherRecords(records, unreadable) : '');
  if (decided === null) {
    const isWaiting = records.length === 0 || records.some(({ skip }) => skip === null);
    const why = isWaiting
      ? 'a record with that id waits in the topic'
      : records.map((record) => `${formatRecordId(record)} was ${skippedIn(record)}`).join('; ');
    return `Order ${order.orderId} is not decided: ${why}.${more}`;
  }
  const { outcome, decidedAt, record } = decided;
  const when = `at ${isoTime(decidedAt)}, on record ${formatRecordId(record)}`;
  if (outcome.kind === 'rejected') {
    return (
      `Rejected ${when}, because ${outcome.detail}: ${RULES[outcome.reason]}. ` +
      `Stock is unchanged. The decision is final.${more}`
    );
  }
  const user = order.user === '' ? 'it needs no user' : `user ${order.user} had paid`;
  return `Accepted ${when}: ${user}, and ${takenInWords(order, outcome)}.${more}`;
}

function otherTries({ retryOf, retries }: Explanation): string {
  const all = retries.map(({ order, outcome }) => `${order.orderId} (${outcome.kind})`);
  return [
    retryOf === null ? '' : ` It is a retry of order ${retryOf}.`,
    all.length === 0 ? '' : ` Tried ${retryOf === null ? 'again ' : 'too '}as ${all.join(', ')}.`,
  ].join('');
}

/** `book went from 10 to 8`; `it took 2 book` if the stock is no longer known. */
function takenInWords(order: Order, outcome: Outcome): string {
  if (outcome.stock.length === 0)
    return `it took ${Array.from(totalsByItem(order.items), ([item, total]) => `${total} ${item}`).join(', ')}`;
  const byItem = new Map<string, { before: number; quantity: number }>();
  order.items.forEach(({ item, quantity }, at) => {
    const before = outcome.stock[at] ?? 0;
    byItem.set(item, { before, quantity: (byItem.get(item)?.quantity ?? 0) + quantity });
  });
  return [...byItem]
    .map(([item, { before, quantity }]) => `${item} went from ${before} to ${before - quantity}`)
    .join(', ');
}

function otherRecords(records: readonly ExplainedRecord[], unreadable: Explanation['unreadable']): string {
  const duplicates = records.filter(({ role }) => role === 'duplicate').length;
  const conflicts = records.filter(({ role }) => role === 'conflict').length;
  const parts = [
    ...(duplicates > 0 ? [`${duplicates} more with the same content had no effect`] : []),
    ...(conflicts > 0 ? [`${conflicts} more with other content had no effect`] : []),
    ...(unreadable.length > 0
      ? [`${unreadable.map(formatRecordId).join(', ')} has this key, but cannot be read as an order`]
      : []),
  ];
  return parts.length === 0 ? '' : ` In the topic: ${parts.join('; ')}.`;
}

/** What will happen to an order that has no decision yet, or how to get one. */
function undecidedStep(
  waiting: readonly string[],
  [passed]: readonly ExplainedRecord[],
  would: string,
): string {
  if (passed === undefined || waiting.length > 0)
    return `"orderctl consume" processes it when it reads ${waiting[0] ?? 'it'}: now it would be ${would}`;
  const { partition, offset, skip } = passed;
  const undo =
    skip?.cause === 'reset' ? '; if there was no later reset, "orderctl offsets undo" undoes it' : '';
  return `"orderctl offsets reset --to ${offset} --partitions ${partition}" goes back to it, and consume then processes it${undo}: now it would be ${would}`;
}

/** What can be done now, and what the outcome would be. */
function nextSteps(explained: Explanation): string[] {
  const { decided, order, now, records, unreadable } = explained;
  const lastTry = explained.retries.at(-1);
  const would = now.kind === 'accepted' ? 'accepted' : `rejected (${now.reason}: ${now.detail})`;
  const unread = records.filter(({ role }) => role === 'unread');
  const waiting = unread.filter(({ skip }) => skip === null).map(formatRecordId);
  const skipped = unread.filter(({ skip }) => skip !== null);
  const deadLetters =
    unreadable.length === 0 ? [] : ['"orderctl dlq list" shows what could not be read, and why'];
  if (decided === null) return [undecidedStep(waiting, skipped, would), ...deadLetters];
  const again = [
    ...(waiting.length > 0
      ? [`${waiting.join(', ')} is yet to be read; that will not change the decision`]
      : []),
    ...skipped.map(
      (record) => `${formatRecordId(record)} was ${skippedIn(record)}; that does not change the decision`,
    ),
    'another record with this id, by replay or redrive, changes nothing: it is a duplicate, or a conflict if its content differs',
    ...deadLetters,
  ];
  const id = order.orderId;
  const accepted = lastTry?.outcome.kind === 'accepted' ? lastTry.order.orderId : null;
  const flags = `--as-new${accepted === null ? '' : ' --again'}`;
  if (decided.outcome.kind === 'accepted') {
    return [
      ...again,
      `"orderctl replay --order ${id} ${flags}" orders the same again under a new id: now it would be ${would}`,
    ];
  }
  if (accepted !== null) {
    return [
      `nothing has to be done: it was accepted as ${accepted}`,
      ...again,
      `"orderctl replay --rejected --order ${id} ${flags}" orders the same once more: now it would be ${would}`,
    ];
  }
  if (explained.refusedForGood !== null) {
    return [`${explained.refusedForGood}: its sender must send another order`, ...again];
  }
  return [
    ...(now.kind === 'rejected' ? [fixOf(order, now)] : []),
    `"orderctl replay --rejected --order ${id} ${flags}" tries it again under a new id: now it would be ${would}`,
    ...again,
  ];
}

function fixOf(order: Order, rejected: Extract<Outcome, { kind: 'rejected' }>): string {
  const { reason, detail } = rejected;
  switch (reason) {
    case 'unknown_user':
      return `${detail}: "orderctl user add --user ${order.user} --status paid" adds them`;
    case 'user_not_paid':
      return `${detail}: "orderctl user update --user ${order.user} --status paid" once they have paid`;
    case 'unknown_item': {
      const { item, wanted } = shortItem(order, rejected.stock);
      return `${detail}: "orderctl inventory add --item ${item} --quantity ${wanted}" adds it`;
    }
    case 'insufficient_stock': {
      const { item, wanted, stock } = shortItem(order, rejected.stock);
      return `${detail}: "orderctl inventory update --item ${item} --by +${wanted - stock}" adds enough`;
    }
    case 'invalid_quantity':
      return `${detail}: its sender must send another order`;
  }
}

/** The item that a rejection is about. @returns wanted: the total of all lines of the order */
function shortItem(
  { items }: Order,
  stock: readonly (number | null)[],
): { item: string; wanted: number; stock: number } {
  const totals = totalsByItem(items);
  const wanted = (item: string): number => totals.get(item) ?? 0;
  const unknown = stock.indexOf(null);
  const at = unknown < 0 ? items.findIndex(({ item }, line) => wanted(item) > (stock[line] ?? 0)) : unknown;
  const item = items[at]?.item ?? '';
  return { item, wanted: wanted(item), stock: stock[at] ?? 0 };
}
