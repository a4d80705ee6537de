import { delivery } from './delivery/processor.ts';
import { inventory } from './inventory/processor.ts';
import { notification } from './notification/processor.ts';
import type { ShopOptions } from './options.ts';
import { orders } from './orders/processor.ts';
import { payment } from './payment/processor.ts';
import type { Outcome, Processor } from './processor.ts';
import { stock } from './stock/processor.ts';
import { validation } from './validation/processor.ts';
import { warehouse } from './warehouse/processor.ts';

/** All processors, one per line. README.md describes what each reads and changes. */
const ALL: readonly ((options: ShopOptions) => Processor<unknown, Outcome>)[] = [
  orders,
  validation,
  payment,
  inventory,
  warehouse,
  notification,
  delivery,
  stock,
];

export function processors(options: ShopOptions): Processor<unknown, Outcome>[] {
  return ALL.map((make) => make(options));
}
