import type { DeliveryRules } from './delivery/rules.ts';
import type { StockRules } from './stock-events.ts';

/** The rules of a shop, as it sets them. */
export interface ShopOptions {
  /** Whether changes of stock are announced, and when they alert; null: they are not. */
  readonly events: StockRules | null;
  /** `optional`: an order without a user is judged by stock alone. */
  readonly users: 'required' | 'optional';
  readonly delivery: DeliveryRules;
}

export const PLAIN_SHOP: ShopOptions = {
  events: null,
  users: 'required',
  delivery: { mail: null, webhook: false },
};
