import { CHECKOUT } from '../../domain/checkout/facts.ts';
import { isFailure, type Failure } from '../../domain/failure.ts';
import { formatRecordId, type RecordId } from '../../domain/orders/order.ts';
import type { Broker, BrokerAdmin, BrokerRecord } from '../../ports/broker.ts';
import type { Inspection, ValueInspector } from '../../ports/inspector.ts';
import type { StoreAccess } from '../../ports/access.ts';

/** A record that led to a step of an order. */
export interface OrderRecord extends RecordId {
  /** null: it is no longer in Kafka, see `problem`. */
  readonly record: BrokerRecord | null;
  /** null: the registry did not answer or refused access, see `problem`. */
  readonly inspection: Inspection | null;
  readonly problem: Failure | null;
}

export interface OrderRecordPorts {
  readonly access: StoreAccess;
  readonly broker: Broker;
  readonly inspector: ValueInspector;
}

/**
 * Reads the records that led to the steps of an order from Kafka, in the order of the steps.
 *
 * @returns undefined: the order has no decision or step
 * @throws Failure broker_unreachable and the like
 */
export async function readOrderRecords(
  { access, broker, inspector }: OrderRecordPorts,
  orderId: string,
): Promise<readonly OrderRecord[] | undefined> {
  const places = await placesOf(access, orderId);
  if (places.length === 0) return undefined;
  await using admin = await broker.admin();
  const found: OrderRecord[] = [];
  for (const place of places) found.push(await readRecord(admin, inspector, place));
  return found;
}

async function placesOf(access: StoreAccess, orderId: string): Promise<RecordId[]> {
  await using reader = await access.read();
  const decided = await reader.decided(orderId);
  const places = decided === undefined ? await reader.facts(CHECKOUT, orderId) : [decided.record];
  const byId = new Map(
    places.map(({ topic, partition, offset }) => {
      const place = { topic, partition, offset };
      return [formatRecordId(place), place];
    }),
  );
  return [...byId.values()];
}

async function readRecord(
  admin: BrokerAdmin,
  inspector: ValueInspector,
  place: RecordId,
): Promise<OrderRecord> {
  const { topic, partition, offset } = place;
  let record: BrokerRecord | null = null;
  try {
    for await (const { records } of admin.records(topic, [{ partition, from: offset, to: offset + 1 }]))
      record = records[0] ?? record;
    const inspection = record === null ? null : await inspector.inspect(record);
    return { ...place, record, inspection, problem: null };
  } catch (error) {
    if (
      !isFailure(
        error,
        'topic_missing',
        'not_found',
        'offsets_gone',
        'registry_unreachable',
        'registry_refused',
      )
    )
      throw error;
    return { ...place, record, inspection: null, problem: error };
  }
}
