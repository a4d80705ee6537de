import type { OrdersEvent } from '../../../app/run/events.ts';
import { formatRecordId } from '../../../domain/orders/order.ts';
import type { Printer } from '../printer.ts';
import { count } from '../text.ts';
import { LINES_A_SECOND } from './decision-throttle.ts';

/** Warns of prices that are not amounts: one by one while people can read along, beyond that only how many. */
export class IgnoredPrices {
  readonly #printer: Printer;
  #said = 0;
  #held = 0;

  constructor(printer: Printer) {
    this.#printer = printer;
  }

  add({ ignored, orderId, record }: Extract<OrdersEvent, { kind: 'prices_ignored' }>): void {
    if (this.#said >= LINES_A_SECOND) {
      this.#held += ignored.count;
      return;
    }
    this.#said += 1;
    const more = ignored.count > 1 ? `, and ${count(ignored.count - 1, 'more line')}` : '';
    this.#warn(
      `order ${orderId}: ${ignored.message}${more}: kept without a price (${formatRecordId(record)})`,
    );
  }

  /** Reports what was held back; called once a second and at the end. */
  flush(): void {
    const held = this.#held;
    this.#held = 0;
    this.#said = 0;
    if (held > 0) this.#warn(`and more: ${count(held, 'line')} kept without a price`);
  }

  #warn(text: string): void {
    this.#printer.messages([{ level: 'warn', text }], { about: 'order' });
  }
}
