import { checkoutEffectId } from '../../domain/checkout/effect-id.ts';
import { difference, type AuditNote, type Difference } from '../../domain/difference.ts';
import { formatRecordId, type RecordId } from '../../domain/orders/order.ts';
import type { ProcessorName } from '../../domain/messages/message.ts';
import { deadLetterTopicOf, topicOf, type TopicNames } from '../../domain/messages/topic-names.ts';
import type {
  BrokerAdmin,
  BrokerRecord,
  PartitionRange,
  RecordChunk,
  RecordRange,
} from '../../ports/broker.ts';
import type { StoreInspection } from '../../ports/health.ts';
import { headerText } from '../../ports/record.ts';
import type { StoredPosition } from '../../ports/store.ts';
import { markOf, stateKey } from '../dlq/dead-letters.ts';
import { readOrigin } from '../dlq/headers.ts';
import { isSkipped } from '../offsets/skips.ts';
import { storedPositions } from '../offsets/group-positions.ts';
import type { CheckoutOrders } from './checkout-orders.ts';
import type { Awaited } from './checkout-rules.ts';
import type { Sink } from './topic.ts';

/** Unfinished orders of the checkout, by what each waits for. */
export interface InFlight {
  /** An effect, parked ones included. */
  owed: number;
  /** That a message about it is sent. */
  waiting: number;
  /** That the record about it is read. */
  unread: number;
  /** Somebody: its record is a dead letter. */
  deadLettered: number;
  /** That it is dispatched by hand. */
  byHand: number;
  /** Its record was skipped by a move of the position. */
  skipped: number;
}

/** Orders by id whose next step is that of one reader of one message. */
type Left = Map<string, Awaited>;

/**
 * An order that is not finished goes on by something that can be pointed to: an effect, a message that waits to be sent,
 * an unread record, a dead letter. One without any of them is stuck.
 *
 * @param inspection taken before: what was sent since was waiting then
 * @throws Failure of the broker
 */
export async function auditInFlight(
  inspection: StoreInspection,
  admin: BrokerAdmin,
  { orders, names }: { readonly orders: CheckoutOrders; readonly names: TopicNames },
  sink: Sink,
): Promise<InFlight> {
  const found: InFlight = { owed: 0, waiting: 0, unread: 0, deadLettered: 0, byHand: 0, skipped: 0 };
  const left = ofEffects(inspection, orders, found);
  for (const awaited of new Set(left.values())) {
    const mine = new Set([...left].flatMap(([orderId, other]) => (other === awaited ? [orderId] : [])));
    const dlqTopic = deadLetterTopicOf(awaited.message, names) ?? '';
    const of = { ...awaited, topic: topicOf(awaited.message, names), dlqTopic };
    await ofOutbox(inspection, of, mine, found);
    const there = new Records(admin, inspection, of);
    if (mine.size > 0) found.unread += await there.unread(mine);
    if (mine.size > 0) found.deadLettered += await there.deadLetters(mine, sink.marks);
    if (mine.size > 0) await explain(there, of, mine, found, sink);
  }
  return found;
}

/** What is owed to the outside goes on by itself; where its effect is missing, that is reported by itself. */
function ofEffects(inspection: StoreInspection, orders: CheckoutOrders, found: InFlight): Left {
  const dispatches = new Set([...inspection.effects()].map(({ id }) => id));
  const left: Left = new Map();
  for (const [orderId, awaited] of orders.awaited()) {
    if (awaited === null || dispatches.has(checkoutEffectId(orderId, 'dispatch'))) found.owed += 1;
    else left.set(orderId, awaited);
  }
  return left;
}

interface AwaitedFrom extends Awaited {
  readonly topic: string;
  readonly dlqTopic: string;
}

async function ofOutbox(
  inspection: StoreInspection,
  { message, dlqTopic }: AwaitedFrom,
  left: Set<string>,
  found: InFlight,
): Promise<void> {
  for await (const outgoing of inspection.allUnsent()) {
    const isLetter = outgoing.kind === 'record' || outgoing.deadLetter !== undefined;
    const isAbout = outgoing.kind === 'record' ? outgoing.topic === dlqTopic : outgoing.type === message.name;
    if (isAbout && left.delete(orderIdOf(outgoing.key))) found[isLetter ? 'deadLettered' : 'waiting'] += 1;
  }
  for await (const { topic, key } of inspection.undelivered())
    if (topic === dlqTopic && left.delete(orderIdOf(key))) found.deadLettered += 1;
}

/** The records of a message, whose keys are ids of orders, on both sides of where their reader is. */
class Records {
  readonly #admin: BrokerAdmin;
  readonly #of: AwaitedFrom;
  readonly #positions: Promise<ReadonlyMap<number, StoredPosition>>;
  /** Whether records were deleted from the beginning of the topic. */
  isCut = false;

  constructor(admin: BrokerAdmin, inspection: StoreInspection, of: AwaitedFrom) {
    this.#admin = admin;
    this.#of = of;
    this.#positions = storedPositions(inspection, { processor: of.reader, topic: of.topic });
  }

  /** Removes the orders that are found, and counts them. */
  async unread(orderIds: Set<string>): Promise<number> {
    const positions = await this.#positions;
    return this.#remove(this.#of.topic, orderIds, ({ partition, start, end }) => {
      return { partition, from: Math.max(start, positions.get(partition)?.next ?? start), to: end };
    });
  }

  /** Those that are open: what was discarded comes to nothing, and a redriven one is a record of the topic again. */
  async deadLetters(orderIds: Set<string>, marks: Sink['marks']): Promise<number> {
    const topic = this.#of.dlqTopic;
    const all = ({ partition, start, end }: PartitionRange): RecordRange => {
      return { partition, from: start, to: end };
    };
    return this.#remove(topic, orderIds, all, (partition, { offset, timestamp, headers }) => {
      const id = { kind: 'record', topic, partition, offset } as const;
      return !marks.has(stateKey({ topic, mark: markOf(id, readOrigin(headers), timestamp) }));
    });
  }

  /** Where each of these was read or passed over, if it is still there. */
  async places(orderIds: ReadonlySet<string>): Promise<ReadonlyMap<string, RecordId>> {
    const { topic } = this.#of;
    const positions = await this.#positions;
    const places = new Map<string, RecordId>();
    const below = ({ partition, start, end }: PartitionRange): RecordRange => {
      if (start > 0) this.isCut = true;
      return { partition, from: start, to: Math.min(end, positions.get(partition)?.next ?? start) };
    };
    for await (const { partition, records } of this.#read(topic, below)) {
      for (const { key, offset } of records) {
        const orderId = orderIdOf(key);
        if (orderIds.has(orderId)) places.set(orderId, { topic, partition, offset });
      }
    }
    return places;
  }

  async #remove(
    topic: string,
    orderIds: Set<string>,
    part: (of: PartitionRange) => RecordRange,
    isMeant: (partition: number, record: BrokerRecord) => boolean = () => true,
  ): Promise<number> {
    const before = orderIds.size;
    for await (const { partition, records } of this.#read(topic, part)) {
      for (const record of records) {
        const orderId = orderIdOf(record.key);
        if (orderIds.has(orderId) && isMeant(partition, record)) orderIds.delete(orderId);
      }
    }
    return before - orderIds.size;
  }

  async *#read(topic: string, part: (of: PartitionRange) => RecordRange): AsyncGenerator<RecordChunk> {
    if ((await this.#admin.partitionCount(topic)) === undefined) return;
    const wanted = (await this.#admin.ranges(topic)).map(part).filter(({ from, to }) => to > from);
    yield* this.#admin.records(topic, wanted);
  }
}

/** Why these do not go on, and the way out of it. */
async function explain(
  there: Records,
  of: AwaitedFrom,
  orderIds: ReadonlySet<string>,
  found: InFlight,
  { skips, report, notes }: Sink,
): Promise<void> {
  const { reader: processor } = of;
  const places = await there.places(orderIds);
  for (const orderId of orderIds) {
    const place = places.get(orderId);
    if (place !== undefined && isSkipped(skips, { processor, ...place })) {
      found.skipped += 1;
      notes.push(skippedNote(orderId, of, place));
    } else if (of.step === 'reserved' && (place !== undefined || there.isCut)) found.byHand += 1;
    else
      report(
        place === undefined ? gone(orderId, of, there.isCut) : handled(orderId, { processor, ...place }),
      );
  }
}

function skippedNote(orderId: string, { reader, topic }: AwaitedFrom, place: RecordId): AuditNote {
  const where = formatRecordId(place);
  const again = `read from there again by ${reader} in ${topic}, it goes on`;
  return {
    kind: 'order_skipped',
    where,
    message: `order ${orderId} waits for ${where}, which was skipped: ${again}`,
  };
}

/** Its reader has read the record, and nothing came of it. */
function handled(orderId: string, place: RecordId & { readonly processor: ProcessorName }): Difference {
  const where = formatRecordId(place);
  const message = `order ${orderId} waits for ${place.processor}, which has read ${where} without a step, an effect or a dead letter`;
  return difference('order_stuck', where, { orderId, message, fix: { kind: 'read_again', ...place } });
}

/** There is nothing that its reader could read. */
function gone(orderId: string, { step, reader, topic }: AwaitedFrom, isCut: boolean): Difference {
  const why = isCut ? 'from which records were deleted' : 'and does not wait to be sent';
  const message = `order ${orderId} waits for ${reader}: its message is not in ${topic}, ${why}`;
  const canCancel = step === 'validated' || step === 'paid' || step === 'reserved';
  const fix = canCancel ? { fix: { kind: 'cancel_order', orderId } as const } : {};
  return difference('order_stuck', topic, { orderId, message, ...fix });
}

function orderIdOf(key: Uint8Array | string | null): string {
  return headerText(key) ?? '';
}
