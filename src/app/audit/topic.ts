import { difference, type AuditNote, type Difference } from '../../domain/difference.ts';
import { sameContent, formatRecordId, type Order, type RecordId } from '../../domain/orders/order.ts';
import type { BrokerAdmin, BrokerRecord } from '../../ports/broker.ts';
import type { Codec, Decoded, OrderCodec } from '../../ports/codec.ts';
import type { StoreInspection } from '../../ports/health.ts';
import type { DeadLetterState } from '../dlq/dead-letters.ts';
import { readOrigin } from '../dlq/headers.ts';
import { rangesOfRead, type SourceTopic } from '../offsets/group-positions.ts';
import { isSkipped, type Skip } from '../offsets/skips.ts';
import type { CheckoutOrders } from './checkout-orders.ts';

/** A topic whose records are orders, and how its reader processed each. */
export interface AuditedSource<T> extends SourceTopic {
  readonly dlqTopic: string;
  readonly codec: Codec<T>;
  readonly orderIdOf: (order: T) => string;
  /** undefined: the store has no trace of the order. */
  readonly fateOf: (order: T, place: RecordId) => Promise<Counted | undefined>;
}

/** Counts of the records below the stored positions, by outcome. */
export interface AuditedTopic {
  readonly records: number;
  readonly deciding: number;
  readonly duplicates: number;
  readonly conflicts: number;
  readonly deadLetters: number;
  readonly skipped: number;
}

export interface Sink {
  readonly skips: readonly Skip[];
  /** The states of dead letters, by `stateKey`. */
  readonly marks: ReadonlyMap<string, DeadLetterState>;
  readonly report: (found: Difference) => void;
  readonly notes: AuditNote[];
}

/**
 * Checks that every record below the stored position of its partition has exactly one outcome: a decision, a duplicate
 * or conflict of a decided id, a dead letter, or skipped by a move of the position. Control records and aborted records
 * do not count.
 *
 * @throws Failure topic_missing, topic_changed (a topic that was read no longer exists), and as the ports
 */
export async function auditTopic<T>(
  inspection: StoreInspection,
  admin: BrokerAdmin,
  source: AuditedSource<T>,
  sink: Sink,
): Promise<AuditedTopic> {
  const { topic, codec } = source;
  const wanted = await toBeRead(admin, inspection, source, sink);
  const counts = { records: 0, deciding: 0, duplicates: 0, conflicts: 0, deadLetters: 0, skipped: 0 };
  const undecided: Undecided[] = [];
  for await (const { partition, records } of admin.records(topic, wanted)) {
    const decoded = await codec.decode(records);
    for (const [at, record] of records.entries()) {
      const place: RecordId = { topic, partition, offset: record.offset };
      counts.records += 1;
      const found = await account(source, place, decoded[at], sink.skips);
      if (typeof found === 'string') counts[found] += 1;
      else undecided.push(found);
    }
  }
  counts.deadLetters += await accountLetters(admin, inspection, source, undecided, sink);
  return counts;
}

/** The direct flow: each id is decided once, by the record that its line names, unless it belongs to the checkout. */
export function directOrders(
  inspection: StoreInspection,
  {
    topic,
    dlqTopic,
    codec,
  }: { readonly topic: string; readonly dlqTopic: string; readonly codec: OrderCodec },
  checkout: Pick<CheckoutOrders, 'holds'>,
  report: (found: Difference) => void,
): AuditedSource<Order> {
  return {
    processor: 'orders',
    topic,
    dlqTopic,
    codec,
    orderIdOf: ({ orderId }) => orderId,
    fateOf: async (order, place) => {
      const decided = await inspection.decided(order.orderId);
      if (decided === undefined) return checkout.holds(order.orderId) ? 'conflicts' : undefined;
      const { topic, partition, offset } = decided.record;
      const isSame = sameContent(order, decided.order);
      if (topic === place.topic && partition === place.partition && offset === place.offset) {
        if (!isSame) report(otherContent(place, order));
        return 'deciding';
      }
      return isSame ? 'duplicates' : 'conflicts';
    },
  };
}

/** A record without a decision: a dead letter, or lost. */
interface Undecided {
  readonly place: RecordId;
  /** null: the record cannot be decoded as an order. */
  readonly orderId: string | null;
}

type Counted = 'deciding' | 'duplicates' | 'conflicts' | 'skipped';

async function account<T>(
  { processor, orderIdOf, fateOf }: AuditedSource<T>,
  place: RecordId,
  decoded: Decoded<T> | undefined,
  skips: readonly Skip[],
): Promise<Counted | Undecided> {
  const order = decoded?.kind === 'message' ? decoded.value : undefined;
  const fate = order === undefined ? undefined : await fateOf(order, place);
  if (fate !== undefined) return fate;
  if (isSkipped(skips, { processor, ...place })) return 'skipped';
  return { place, orderId: order === undefined ? null : orderIdOf(order) };
}

/** The records from the first remaining one up to the stored position, by partition. */
async function toBeRead(
  admin: BrokerAdmin,
  inspection: StoreInspection,
  source: SourceTopic,
  { report, notes }: Sink,
): Promise<{ partition: number; from: number; to: number }[]> {
  const { processor, topic } = source;
  const positions = inspection.positions();
  const ranges = new Map(
    (await rangesOfRead(admin, inspection, source)).map((range) => [range.partition, range]),
  );
  const wanted = [];
  for (const position of positions) {
    if (position.processor !== processor || position.topic !== topic) continue;
    const { partition, next } = position;
    const { start, end } = ranges.get(partition) ?? { start: 0, end: 0 };
    const where = `${topic}/${partition}@${next}`;
    if (next > end) {
      const message = `the stored position of ${topic}/${partition} is ${next}, but the topic ends at ${end}`;
      const fix = { kind: 'topic_made_again' } as const;
      report(difference('position_mismatch', where, { expected: end, actual: next, message, fix }));
    }
    const to = Math.min(next, end);
    if (start > 0 && next > 0) {
      const message = `${topic}/${partition}: records before ${start} were deleted by retention or by hand, and are not compared`;
      notes.push({ kind: 'records_deleted', where: `${topic}/${partition}@${start}`, message });
    }
    if (to > start) wanted.push({ partition, from: start, to });
  }
  return wanted.sort((a, b) => a.partition - b.partition);
}

/**
 * Looks for each undecided record among the dead letters that were sent, wait to be sent, or are kept in the folder.
 *
 * @returns how many were found
 */
async function accountLetters(
  admin: BrokerAdmin,
  inspection: StoreInspection,
  { processor, topic, dlqTopic }: Omit<AuditedSource<never>, 'orderIdOf' | 'fateOf' | 'codec'>,
  undecided: readonly Undecided[],
  { report, notes }: Sink,
): Promise<number> {
  if (undecided.length === 0) return 0;
  const left = new Map(undecided.map((record) => [formatRecordId(record.place), record]));
  for await (const { id } of inspection.allUnsent()) left.delete(id);
  for await (const { id } of inspection.undelivered()) left.delete(id);
  const isWhole = left.size === 0 || (await removeSent(admin, topic, dlqTopic, left));
  for (const { place, orderId } of left.values()) {
    if (orderId !== null) report(unaccounted({ processor, ...place }, orderId));
    else if (isWhole) report(letterMissing({ processor, ...place }, dlqTopic));
  }
  const missing = [...left.values()].filter(({ orderId }) => orderId === null).length;
  if (!isWhole && missing > 0) {
    const message = `${missing} dead letters are not in ${dlqTopic}, from which records were deleted`;
    notes.push({ kind: 'dead_letters_deleted', where: dlqTopic, message });
  }
  return undecided.length - left.size + (isWhole ? 0 : missing);
}

/** @returns whether the dead-letter topic still holds everything that was sent to it */
async function removeSent(
  admin: BrokerAdmin,
  topic: string,
  dlqTopic: string,
  left: Map<string, Undecided>,
): Promise<boolean> {
  if ((await admin.partitionCount(dlqTopic)) === undefined) return true;
  const ranges = await admin.ranges(dlqTopic);
  const wanted = ranges
    .filter(({ start, end }) => end > start)
    .map(({ partition, start, end }) => ({ partition, from: start, to: end }));
  for await (const { records } of admin.records(dlqTopic, wanted)) {
    for (const record of records) {
      const of = originOf(record);
      if (of?.topic === topic) left.delete(formatRecordId(of));
    }
  }
  return ranges.every(({ start }) => start === 0);
}

function originOf({ headers }: BrokerRecord): RecordId | undefined {
  const { topic, partition, offset } = readOrigin(headers);
  if (topic === null || partition === null || offset === null) return undefined;
  return { topic, partition, offset };
}

function otherContent(place: RecordId, order: Order): Difference {
  const where = formatRecordId(place);
  const message = `order ${order.orderId} was decided on ${where}, but the content of that record differs from the logged decision`;
  return difference('record_mismatch', where, { orderId: order.orderId, message });
}

function unaccounted(place: RecordId & SourceTopic, orderId: string): Difference {
  const where = formatRecordId(place);
  const { topic, partition } = place;
  return difference('record_unaccounted', where, {
    orderId,
    message: `${where} holds order ${orderId} and is below the stored position of ${topic}/${partition}, but has no decision, is not a dead letter and was not skipped`,
    fix: { kind: 'read_again', ...place },
  });
}

function letterMissing(place: RecordId & SourceTopic, dlqTopic: string): Difference {
  const where = formatRecordId(place);
  return difference('dead_letter_missing', where, {
    message: `${where} cannot be read as an order, and is not among the dead letters of ${dlqTopic}`,
    fix: { kind: 'used_dlq_topic', again: { kind: 'read_again', ...place } },
  });
}
