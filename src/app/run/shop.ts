import type { TextFile } from '../../domain/checkout/text-file.ts';
import { templatesFrom } from '../../processors/notification/templates.ts';
import { processors } from '../../processors/index.ts';
import type { ShopOptions } from '../../processors/options.ts';
import type { Handled } from '../../processors/draft.ts';
import { orders } from '../../processors/orders/processor.ts';
import type { HandledEvent, OrdersEvent, RunEvent, RunOptions, RunPorts, Service } from './events.ts';
import { OrdersService } from './orders-service.ts';
import { runServices } from './run.ts';
import { groupOf } from './groups.ts';
import { selectProcessors, stockEventsOf } from './services.ts';
import { KindTally } from './status/tally.ts';

export type { ShopOptions };

export interface ShopRunOptions extends Omit<
  RunOptions,
  'on' | 'onEdits' | 'announceMissed' | 'onOwned' | 'purpose' | 'reset' | 'maxMessages'
> {
  /** Names of processors; empty: all. */
  readonly processors: readonly string[];
  readonly shop: ShopOptions;
  /** Custom templates for messages to customers. */
  readonly texts?: readonly TextFile[];
  /** Continue without users or items; every order is then rejected. */
  readonly allowEmpty: boolean;
  readonly on: (event: RunEvent | OrdersEvent | HandledEvent) => void;
}

/**
 * Runs the processors of a shop.
 *
 * @throws Failure as runServices and consumeOrders; usage: a processor does not exist
 */
export async function runShop(ports: RunPorts, options: ShopRunOptions): Promise<void> {
  const { access } = ports;
  const { shop: rules, texts = [], allowEmpty, on, processors: names, ...asked } = options;
  const shop = { ...rules, templates: templatesFrom(texts) };
  const { group } = asked;
  const chosen = selectProcessors(processors(shop), names);
  const { users } = shop;
  const ordersService = new OrdersService({ processor: orders(shop), group, users, allowEmpty, on });
  const services = chosen.map((processor): Service =>
    processor.name === 'orders'
      ? ordersService
      : {
          processor,
          group: groupOf(processor.name, group),
          tally: new KindTally(),
          // All other processors return results of `Draft`.
          onBatch: ({ results }) =>
            on({ kind: 'handled', processor: processor.name, results: results as readonly Handled[] }),
        },
  );
  const decides = services.includes(ordersService);
  if (decides) await ordersService.checkIsThere(access);
  await runServices(ports, services, {
    ...asked,
    ...stockEventsOf(shop),
    maxMessages: null,
    reset: null,
    purpose: `run ${chosen.map(({ name }) => name).join(', ')}`,
    onOwned: async (store) => (decides ? ordersService.check(store, access.name) : undefined),
    on,
  });
}
