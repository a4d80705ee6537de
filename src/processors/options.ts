import type { DeliveryRules } from './delivery/rules.ts';
import type { Templates } from './notification/templates.ts';
import type { PaymentRules } from './payment/rules.ts';
import { PAUSES_MS } from './retries.ts';
import type { StockRules } from './stock-events.ts';
import type { DispatchRules } from './warehouse/rules.ts';

/** The rules that a shop sets. */
export interface ShopOptions {
  /** The rules for alerts on changes of stock; null: changes of stock are not announced. */
  readonly events: StockRules | null;
  /** `optional`: an order without a user is decided by stock alone. */
  readonly users: 'required' | 'optional';
  readonly delivery: DeliveryRules;
  readonly dispatch: DispatchRules;
  readonly payment: PaymentRules;
  /** The texts of notifications; absent: the default texts. */
  readonly templates?: Templates;
}

export const PLAIN_SHOP: ShopOptions = {
  events: null,
  users: 'required',
  delivery: { mail: null, webhook: false },
  dispatch: { way: 'auto', delayMs: 0 },
  payment: { pausesMs: PAUSES_MS },
};
