/** The routes of alerts and notifications. Without a route, they are logged. */
export interface DeliveryRules {
  /** null: no mail is sent. `alertsTo`: the address for alerts; null: alerts are not mailed. */
  readonly mail: { readonly alertsTo: string | null } | null;
  readonly webhook: boolean;
}
