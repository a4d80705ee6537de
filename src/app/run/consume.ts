import { Failure } from '../../domain/failure.ts';
import type { Decision } from '../../domain/orders/decided.ts';
import type { Order } from '../../domain/orders/order.ts';
import type { OrderCodec } from '../../ports/codec.ts';
import type { Store } from '../../ports/store.ts';
import { ORDERS } from '../../processors/orders/processor.ts';
import type { BatchEvent, ConsumeOptions, RunEvent, RunPorts, Service } from './events.ts';
import { runServices } from './run.ts';
import { OrderTally } from './status/tally.ts';

/** What consuming orders needs. */
export interface ConsumePorts extends Omit<RunPorts, 'codecOf'> {
  readonly codec: OrderCodec;
}

/**
 * Reads orders, decides each once, and stores decision and position in one commit. Runs until a limit of
 * `options` or its signal ends it; the last event is the summary, before a failure too.
 *
 * @throws Failure as runServices; not_found (no users or no items)
 */
export async function consumeOrders(
  { codec, ...ports }: ConsumePorts,
  options: ConsumeOptions,
): Promise<void> {
  const { access } = ports;
  const { on, allowEmpty = false, topic, dlqTopic, group, ...asked } = options;
  // Before it is owned: a mistyped name leaves no folder behind.
  if (!allowEmpty && !access.isThere()) throw nothingToDecideOn('users', access.name);
  const tally = new OrderTally();
  const service: Service<Order, Decision> = {
    ...{ processor: ORDERS, group, tally },
    onBatch: (event) => {
      reportIgnored(event, tally, on);
      on({ kind: 'batch', ...event });
    },
  };
  await runServices({ ...ports, codecOf: async () => codec }, [service], {
    ...asked,
    purpose: `consume ${topic} as group ${group}`,
    names: new Map([
      ['orders', topic],
      ['orders.dlq', dlqTopic],
    ]),
    onOwned: (store) => checkTables(store, access.name, options),
    on: (event) => takeEvent(event, tally, on),
  });
}

function takeEvent(event: RunEvent, tally: OrderTally, on: ConsumeOptions['on']): void {
  if (event.kind === 'committed') return;
  if (event.kind !== 'ended') {
    on(event);
    return;
  }
  const { stoppedBy, seconds, services } = event.run;
  const skipped = services.reduce((sum, one) => sum + one.skipped, 0);
  const partitions = services.flatMap(({ topics }) => topics.flatMap((one) => one.partitions));
  on({ kind: 'summary', summary: { ...tally.counts(), stoppedBy, seconds, skipped, partitions } });
}

async function checkTables(
  store: Store,
  name: string,
  { allowEmpty = false, on }: ConsumeOptions,
): Promise<void> {
  for (const table of ['users', 'items'] as const) {
    const [first] = await store[table]();
    if (first !== undefined) continue;
    if (!allowEmpty) throw nothingToDecideOn(table, name);
    on({ kind: 'empty_table', table, store: name });
  }
}

/** A decision is final: orders must not be rejected for ever because the store is the wrong one, or not filled yet. */
function nothingToDecideOn(table: 'users' | 'items', store: string): Failure {
  return new Failure(
    'not_found',
    `there are no ${table} in ${store}: every order would be rejected, and a decision is final`,
    { fix: { kind: 'fill_or_reject', table } },
  );
}

function reportIgnored(
  { decoded, results }: BatchEvent<Order, Decision>,
  tally: OrderTally,
  on: ConsumeOptions['on'],
): void {
  decoded.forEach((entry, index) => {
    if (entry.kind !== 'message' || entry.ignored === undefined) return;
    const result = results[index];
    if (result === undefined) return;
    const record = result.kind === 'decided' ? result.decided.record : result.record;
    tally.addIgnoredPrices(entry.ignored.count);
    on({ kind: 'prices_ignored', record, orderId: entry.value.orderId, ignored: entry.ignored });
  });
}
