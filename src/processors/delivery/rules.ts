/** Where alerts and notifications are sent. Without a route they are logged. */
export interface DeliveryRules {
  /** null: no mail is sent; `alertsTo`: the address for alerts, null for none. */
  readonly mail: { readonly alertsTo: string | null } | null;
  readonly webhook: boolean;
}
