import type { Decision, Sent } from '../../../documents/order.ts';
import type { Decided } from '../../../domain/orders/decided.ts';
import { isoSeconds } from '../../../domain/iso-time.ts';
import { formatRecordId, userOf, type Order, type RecordId } from '../../../domain/orders/order.ts';
import type { RecordResult } from '../../../app/run/events.ts';

/** The outcome of a record, by the names of the contract. */
export type DecisionName = Decision['decision'];

export interface DecisionView {
  readonly decision: DecisionName;
  readonly record: RecordId;
  /** null: the record has no order. */
  readonly order: Order | null;
  /** Why it was rejected, or the code of a dead letter. */
  readonly reason: string | null;
  readonly detail: string | null;
}

export function viewDecision(result: RecordResult): DecisionView {
  switch (result.kind) {
    case 'dead_letter': {
      const { record, code, message } = result;
      return { decision: 'dead_letter', record, order: null, reason: code, detail: message };
    }
    case 'duplicate': {
      const { order, record, first, sameContent } = result;
      const place = formatRecordId(first.record);
      const became = first.outcome?.kind;
      let detail = `the checkout has that id, by ${place}`;
      if (became !== undefined) {
        detail = sameContent
          ? `${became} before, at ${place}`
          : `other content than at ${place}, where it was ${became}: that decision stands`;
      }
      return { decision: sameContent ? 'duplicate' : 'conflict', record, order, reason: null, detail };
    }
    case 'decided': {
      const { order, record, outcome } = result.decided;
      const isRejected = outcome.kind === 'rejected';
      return {
        decision: outcome.kind,
        record,
        order,
        reason: isRejected ? outcome.reason : null,
        detail: isRejected ? outcome.detail : null,
      };
    }
  }
}

/** `alice book×2, pen×1` */
export function orderInWords({ user, items }: Order): string {
  return [user, items.map(({ item, quantity }) => `${item}×${quantity}`).join(', ')].join(' ').trimEnd();
}

/** `accepted ORD-7 alice book×2 (orders/3@17)` */
export function decisionRow({ decision, record, order, detail }: DecisionView): string {
  const subject = order === null ? [] : [order.orderId, orderInWords(order)];
  const what = [decision, ...subject].join(' ');
  return `${what}${detail === null ? '' : `: ${detail}`} (${formatRecordId(record)})`;
}

/** `2026-11-21T10:00:00Z accepted ORD-7 alice book×2 (orders/3@17)` */
export function decidedLine(decided: Decided): string {
  return `${isoSeconds(decided.decidedAt)} ${decisionRow(viewDecision({ kind: 'decided', decided }))}`;
}

/** Like decisionRow, but what needs attention is a sentence that follows `warning:`. */
export function decisionLine(view: DecisionView): string {
  const { decision, record, order, detail } = view;
  const place = formatRecordId(record);
  switch (decision) {
    case 'accepted':
    case 'duplicate':
      return decisionRow(view);
    case 'rejected':
      return `order ${order?.orderId ?? ''} rejected: ${detail ?? ''} (${place})`;
    case 'conflict':
      return `order ${order?.orderId ?? ''} conflicts: ${detail ?? ''} (${place})`;
    case 'dead_letter':
      return `record dead-lettered: ${view.reason ?? ''}, ${detail ?? ''} (${place})`;
  }
}

export function decisionDocument({ decision, record, order, reason, detail }: DecisionView): Decision {
  return {
    type: 'decision',
    decision,
    order_id: order?.orderId ?? null,
    user: order === null ? null : userOf(order),
    items: order === null ? null : itemDocuments(order),
    reason,
    detail,
    topic: record.topic,
    partition: record.partition,
    offset: record.offset,
  };
}

function itemDocuments(order: Order): Sent['items'] {
  return order.items.map(({ item, quantity }) => ({ item, quantity }));
}

/** An order that was sent, or that a dry run would send. */
export function sentDocument(
  type: Sent['type'],
  order: Order,
  topic: string,
  place: { readonly partition: number; readonly offset: number } | null,
): Sent {
  return {
    type,
    order_id: order.orderId,
    user: userOf(order),
    items: itemDocuments(order),
    topic,
    partition: place?.partition ?? null,
    offset: place?.offset ?? null,
  };
}
