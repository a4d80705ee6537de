import type { FactLog } from '../../domain/facts.ts';

/** How a message leaves the program. */
export type Channel = 'log' | 'mail' | 'webhook';

/** A step in the delivery of an alert or a notification. */
export type DeliveryFact = Readonly<{
  /** The id of the alert or notification. */
  delivery_id: string;
  channel: Channel;
  /** `owed`: to be sent; `failed`: for good, unless its dead letter is redriven. */
  step: 'owed' | 'delivered' | 'failed';
  /** ISO 8601. */
  at: string;
  attempts: number;
  /** What the other side said; null while it is owed. */
  detail: string | null;
}>;

/** The id of what is owed for a message by a channel, the same whenever it is decided again. */
export function deliveryEffectId(deliveryId: string, channel: Channel): string {
  return `delivery/${deliveryId}/${channel}`;
}

export const DELIVERIES: FactLog<DeliveryFact> = { name: 'deliveries', key: 'delivery_id' };
