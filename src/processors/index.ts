import { delivery } from './delivery/processor.ts';
import type { ShopOptions } from './options.ts';
import { orders } from './orders/processor.ts';
import type { Outcome, Processor } from './processor.ts';

/** All services, one a line. What each reads and changes is in README.md. */
const ALL: readonly ((options: ShopOptions) => Processor<unknown, Outcome>)[] = [orders, delivery];

export function processors(options: ShopOptions): Processor<unknown, Outcome>[] {
  return ALL.map((make) => make(options));
}
