import { orders } from '../../processors/orders/processor.ts';
import type { ConsumeOptions, RunPorts } from './events.ts';
import { OrdersService } from './orders-service.ts';
import { runServices } from './run.ts';
import { stockEventsOf } from './services.ts';

/**
 * Processes orders, each exactly once: the decision and the position go into the store in one commit. Runs until a
 * limit in `options` is reached or its signal aborts; the last event is the summary, even before a failure.
 *
 * @throws Failure as runServices; not_found when there are no users or no items
 */
export async function consumeOrders(ports: RunPorts, options: ConsumeOptions): Promise<void> {
  const { access } = ports;
  const { on, allowEmpty = false, shop, ...asked } = options;
  const { group } = asked;
  const service = new OrdersService({ processor: orders(shop), users: shop.users, group, allowEmpty, on });
  await service.checkIsThere(access);
  const topic = asked.names.get('orders') ?? 'orders';
  await runServices(ports, [service], {
    ...asked,
    ...stockEventsOf(shop),
    purpose: `consume ${topic} as group ${group}`,
    onOwned: (store) => service.check(store, access.name),
    on: (event) => {
      if (event.kind === 'committed') return;
      if (event.kind !== 'ended') {
        on(event);
        return;
      }
      const { stoppedBy, seconds, services } = event.run;
      const skipped = services.reduce((sum, one) => sum + one.skipped, 0);
      const partitions = services.flatMap(({ topics }) => topics.flatMap((one) => one.partitions));
      on({
        kind: 'summary',
        summary: { ...service.tally.counts(), stoppedBy, seconds, skipped, partitions },
      });
    },
  });
}
