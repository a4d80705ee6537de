/** When a shipment is dispatched. */
export interface DispatchRules {
  /** `manual`: on request by `order dispatch`. */
  readonly way: 'auto' | 'manual';
  /** With `auto`: the delay after the shipment was created. */
  readonly delayMs: number;
}
