/** Where what a shop says to the outside goes. What has nowhere else to go is logged. */
export interface DeliveryRules {
  /** null: no mail is sent; `alertsTo`: the address for alerts, null for none. */
  readonly mail: { readonly alertsTo: string | null } | null;
  readonly webhook: boolean;
}
