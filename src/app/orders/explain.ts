import type { Decided, Outcome } from '../../domain/orders/decided.ts';
import { decide, refusedForGood } from '../../processors/orders/decide.ts';
import { recordTime, sameContent, type Order, type RecordId } from '../../domain/orders/order.ts';
import type { Broker, BrokerRecord } from '../../ports/broker.ts';
import type { OrderCodec } from '../../ports/codec.ts';
import { headerText, lastHeader } from '../../ports/record.ts';
import type { KeptView, StoreAccess } from '../../ports/access.ts';
import type { RowReader, StoreReader } from '../../ports/store.ts';
import { rangesOfRead } from '../offsets/group-positions.ts';
import { triesOf, type Tries } from './retries.ts';
import { readSkips, skipOf, type Skip } from '../offsets/skips.ts';

/** The role of a record with the id of an order; `unread`: it was not read yet, or was skipped. */
export type RecordRole = 'deciding' | 'duplicate' | 'conflict' | 'unread';

export interface ExplainedRecord extends RecordId {
  /** Milliseconds since the epoch; null when the record was not read. */
  readonly timestamp: number | null;
  readonly role: RecordRole;
  /** The move of the position that skipped it; null when none did, or it was read since. */
  readonly skip: Skip | null;
  /** The id of the replay that sent it; null when there was none, or the record was not read. */
  readonly replayId: string | null;
}

export interface Explanation {
  readonly order: Order;
  /** null: the order has no decision, and was found in the topic. */
  readonly decided: Decided | null;
  /** The outcome of the same order under a new id if it were decided now. */
  readonly now: Outcome;
  /** Why no new try can be accepted, whatever the users and stock are; null: one can be. */
  readonly refusedForGood: string | null;
  readonly records: readonly ExplainedRecord[];
  /** The order that this one is a try of, under an id derived from it; null: none. */
  readonly retryOf: string | null;
  /** Other tries of the same order, in sequence. */
  readonly retries: readonly Decided[];
  /** Whether the topic was searched. */
  readonly scanned: boolean;
  /** Records whose key is the id but whose value cannot be decoded as an order. */
  readonly unreadable: readonly RecordId[];
}

/** What is needed to search the topic for records with the id. */
export interface ScanPorts {
  readonly broker: Broker;
  readonly codec: OrderCodec;
  readonly topic: string;
}

/**
 * Explains the decision on an order, from the store alone. With `scan`, the topic is read too, up to its present end.
 *
 * @returns undefined when the order is not found
 * @throws Failure as the ports; topic_missing, topic_changed (a topic that was read no longer exists)
 */
export async function explainOrder(
  access: StoreAccess,
  orderId: string,
  scan: ScanPorts | null,
): Promise<Explanation | undefined> {
  await using reader = await access.read();
  const decided = (await reader.decided(orderId)) ?? null;
  const found = scan === null ? null : await scanTopic(scan, reader, orderId);
  const order = decided?.order ?? found?.records[0]?.order;
  if (order === undefined) return undefined;
  return {
    order,
    decided,
    now: await decideNow(reader, order),
    refusedForGood: refusedForGood(order),
    ...triesBeside(order, await triesOf(reader, order)),
    records: await recordsOf(reader, decided, found?.records ?? []),
    scanned: scan !== null,
    unreadable: found?.unreadable ?? [],
  };
}

/**
 * As explainOrder, for frequent reads of a store; the topic is not searched.
 *
 * @param unread the order, if it has not been read yet
 */
export async function explainKnown(
  view: KeptView,
  orderId: string,
  unread: Order | null,
): Promise<Explanation | undefined> {
  const found = await view.lookAtOrders(async (reader) => {
    const decided = (await reader.decided(orderId)) ?? null;
    const order = decided?.order ?? unread;
    if (order === null) return undefined;
    const tries = triesBeside(order, await triesOf(reader, order));
    return { order, decided, ...tries, records: decided === null ? [] : [decidingRecord(decided)] };
  });
  if (found === undefined) return undefined;
  const { order } = found;
  const now = await view.lookAtRows((reader) => decideNow(reader, order));
  return { ...found, now, refusedForGood: refusedForGood(order), scanned: false, unreadable: [] };
}

function triesBeside({ orderId }: Order, { root, decided }: Tries): Pick<Explanation, 'retryOf' | 'retries'> {
  return {
    retryOf: root === orderId ? null : root,
    retries: decided.filter((one) => one.order.orderId !== orderId),
  };
}

async function decideNow(reader: RowReader, order: Order): Promise<Outcome> {
  const items = new Map<string, number>();
  for (const name of new Set(order.items.map(({ item }) => item))) {
    const row = await reader.itemNamed(name);
    if (row !== undefined) items.set(name, row.quantity);
  }
  const status = (await reader.userNamed(order.user))?.status;
  return decide(order, { status: () => status, quantity: (item) => items.get(item) });
}

interface FoundRecord extends RecordId {
  readonly order: Order;
  readonly timestamp: number | null;
  readonly replayId: string | null;
}

async function scanTopic(
  { broker, codec, topic }: ScanPorts,
  reader: StoreReader,
  orderId: string,
): Promise<{ records: FoundRecord[]; unreadable: RecordId[] }> {
  await using admin = await broker.admin();
  const ranges = (await rangesOfRead(admin, reader, { processor: 'orders', topic })).filter(
    ({ start, end }) => end > start,
  );
  const wanted = ranges.map(({ partition, start, end }) => ({ partition, from: start, to: end }));
  const records: FoundRecord[] = [];
  const unreadable: RecordId[] = [];
  for await (const chunk of admin.records(topic, wanted)) {
    const decoded = await codec.decode(chunk.records);
    chunk.records.forEach((record, at) => {
      const place: RecordId = { topic, partition: chunk.partition, offset: record.offset };
      const result = decoded[at];
      if (result?.kind === 'message' && result.value.orderId === orderId) {
        const { value: order } = result;
        const timestamp = recordTime(record.timestamp);
        records.push({ ...place, order, timestamp, replayId: replayIdOf(record) });
      } else if (result?.kind === 'dead_letter' && headerText(record.key) === orderId) unreadable.push(place);
    });
  }
  return { records, unreadable };
}

function replayIdOf({ headers }: BrokerRecord): string | null {
  return headerText(lastHeader(headers, 'x-replay-id'));
}

function decidingRecord({ record }: Decided): ExplainedRecord {
  return { ...record, timestamp: null, role: 'deciding', skip: null, replayId: null };
}

async function recordsOf(
  reader: StoreReader,
  decided: Decided | null,
  found: readonly FoundRecord[],
): Promise<ExplainedRecord[]> {
  const positions = new Map(
    (await reader.positions())
      .filter(({ processor }) => processor === 'orders')
      .map(({ topic, partition, next }) => [`${topic}/${partition}`, next]),
  );
  const skips = found.length === 0 ? [] : await readSkips(reader);
  const records = found.map((record): ExplainedRecord => {
    const { topic, partition, offset, timestamp, replayId } = record;
    const place = { topic, partition, offset };
    const isPassed = offset < (positions.get(`${topic}/${partition}`) ?? 0);
    const skip = isPassed ? (skipOf(skips, { processor: 'orders', ...place }) ?? null) : null;
    const role = roleOf(record, decided, isPassed && skip === null);
    return { ...place, timestamp, role, skip: role === 'unread' ? skip : null, replayId };
  });
  // Its record may no longer be in the topic, and is only found by a search.
  if (decided !== null && !records.some(({ role }) => role === 'deciding')) {
    records.unshift(decidingRecord(decided));
  }
  return records;
}

function roleOf(record: FoundRecord, decided: Decided | null, isRead: boolean): RecordRole {
  if (decided === null) return 'unread';
  const { topic, partition, offset } = decided.record;
  // Even when the position was moved back to before this record.
  if (record.topic === topic && record.partition === partition && record.offset === offset) return 'deciding';
  if (!isRead) return 'unread';
  return sameContent(record.order, decided.order) ? 'duplicate' : 'conflict';
}
