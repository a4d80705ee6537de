/** When a shipment is dispatched. */
export interface DispatchRules {
  /** `manual`: when `order dispatch` requests it. */
  readonly way: 'auto' | 'manual';
  /** With `auto`: how long after it was created. */
  readonly delayMs: number;
}
