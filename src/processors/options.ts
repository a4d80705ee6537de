import type { DeliveryRules } from './delivery/rules.ts';
import type { Templates } from './notification/templates.ts';
import type { PaymentRules } from './payment/rules.ts';
import { PAUSES_MS } from './retries.ts';
import type { StockRules } from './stock-events.ts';
import type { DispatchRules } from './warehouse/rules.ts';

/** The rules that a shop sets. */
export interface ShopOptions {
  /** Whether changes of stock are announced, and when they alert; null: they are not. */
  readonly events: StockRules | null;
  /** `optional`: an order without a user is judged by stock alone. */
  readonly users: 'required' | 'optional';
  readonly delivery: DeliveryRules;
  readonly dispatch: DispatchRules;
  readonly payment: PaymentRules;
  /** What customers read; absent: our texts. */
  readonly templates?: Templates;
}

export const PLAIN_SHOP: ShopOptions = {
  events: null,
  users: 'required',
  delivery: { mail: null, webhook: false },
  dispatch: { way: 'auto', delayMs: 0 },
  payment: { pausesMs: PAUSES_MS },
};
