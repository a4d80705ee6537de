import { Failure } from '../../domain/failure.ts';
import type { Decision } from '../../domain/orders/decided.ts';
import type { Order } from '../../domain/orders/order.ts';
import type { Store } from '../../ports/store.ts';
import { ORDERS } from '../../processors/orders/processor.ts';
import type { BatchEvent, ConsumeOptions } from './events.ts';
import { runProcessor, type RunPorts } from './run.ts';
import { Tally } from './tally.ts';

/**
 * Reads orders, decides each once, and stores decision and position in one commit. Runs until a limit of
 * `options` or its signal ends it; the last event is the summary, before a failure too.
 *
 * @throws Failure as runProcessor; not_found (no users or no items)
 */
export async function consumeOrders(ports: RunPorts<Order>, options: ConsumeOptions): Promise<void> {
  const { access } = ports;
  const { on, allowEmpty = false, ...asked } = options;
  // Before it is owned: a mistyped name leaves no folder behind.
  if (!allowEmpty && !access.isThere()) throw nothingToDecideOn('users', access.name);
  const tally = new Tally();
  await runProcessor(ports, ORDERS, {
    ...asked,
    purpose: `consume ${asked.topic} as group ${asked.group}`,
    counts: () => tally.counts(),
    onOwned: (store) => checkTables(store, access.name, options),
    on: (event) => {
      if (event.kind === 'ended') {
        on({ kind: 'summary', summary: { ...tally.counts(), ...event.run } });
        return;
      }
      if (event.kind === 'batch') {
        tally.add(event.results);
        reportIgnored(event, tally, on);
      }
      on(event);
    },
  });
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
  tally: Tally,
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
