/** When a shipment is dispatched. */
export interface DispatchRules {
  /** `manual`: when somebody wishes it. */
  readonly way: 'auto' | 'manual';
  /** Of `auto`: so long after it was created. */
  readonly delayMs: number;
}
