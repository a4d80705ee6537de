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

/** The number of unfinished checkout orders, by what each waits for. */
export interface InFlight {
  /** An effect, possibly a parked one. */
  owed: number;
  /** A message that is to be sent. */
  waiting: number;
  /** A record that is to be read. */
  unread: number;
  /** A decision about its dead letter. */
  deadLettered: number;
  /** A manual dispatch. */
  byHand: number;
  /** A record that was skipped by a move of the position. */
  skipped: number;
}

/** Orders whose next step depends on a message, by id. */
type Left = Map<string, Awaited>;

/**
 * Checks that each unfinished order can continue: through an effect, a message that waits to be sent, an unread record,
 * or a dead letter. An order without any of them is stuck.
 *
 * @param inspection opened before the topics are read, so that messages sent since count as waiting
 * @throws Failure as the broker
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

/** Counts orders that wait for an effect; a missing effect is reported elsewhere. @returns the other orders */
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

/** The records of a message, keyed by order id, before and after the position of their reader. */
class Records {
  readonly #admin: BrokerAdmin;
  readonly #of: AwaitedFrom;
  readonly #positions: Promise<ReadonlyMap<number, StoredPosition>>;
  /** Whether the oldest records of the topic were deleted. */
  isCut = false;

  constructor(admin: BrokerAdmin, inspection: StoreInspection, of: AwaitedFrom) {
    this.#admin = admin;
    this.#of = of;
    this.#positions = storedPositions(inspection, { processor: of.reader, topic: of.topic });
  }

  /** Removes orders that have an unread record, and returns their number. */
  async unread(orderIds: Set<string>): Promise<number> {
    const positions = await this.#positions;
    return this.#remove(this.#of.topic, orderIds, ({ partition, start, end }) => {
      return { partition, from: Math.max(start, positions.get(partition)?.next ?? start), to: end };
    });
  }

  /**
   * The same for open dead letters: a discarded one has no effect, and a redriven one is a record of the topic again.
   */
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

  /** Where the record of each order was read or skipped, if it still exists. */
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

/** Reports why these orders do not continue, with the fix. */
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
  const again = `it continues once ${reader} reads ${topic} again from there`;
  return {
    kind: 'order_skipped',
    where,
    message: `order ${orderId} waits for ${where}, which was skipped: ${again}`,
  };
}

/** The reader has read the record, but it had no effect. */
function handled(orderId: string, place: RecordId & { readonly processor: ProcessorName }): Difference {
  const where = formatRecordId(place);
  const message = `order ${orderId} waits for ${place.processor}, which has read ${where} without recording a step, an effect or a dead letter`;
  return difference('order_stuck', where, { orderId, message, fix: { kind: 'read_again', ...place } });
}

/** There is no record that the reader could read. */
function gone(orderId: string, { step, reader, topic }: AwaitedFrom, isCut: boolean): Difference {
  const why = isCut ? 'from which records were deleted' : 'and is not waiting to be sent';
  const message = `order ${orderId} waits for ${reader}: its message is not in ${topic}, ${why}`;
  const canCancel = step === 'validated' || step === 'paid' || step === 'reserved';
  const fix = canCancel ? { fix: { kind: 'cancel_order', orderId } as const } : {};
  return difference('order_stuck', topic, { orderId, message, ...fix });
}

function orderIdOf(key: Uint8Array | string | null): string {
  return headerText(key) ?? '';
}
