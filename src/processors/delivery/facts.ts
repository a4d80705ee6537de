import type { FactLog } from '../../domain/facts.ts';

/** How a message leaves the program. */
export type Channel = 'log' | 'mail' | 'webhook';

/** A step in the delivery of an alert or a notification. */
export type DeliveryFact = Readonly<{
  /** The id of the alert or notification. */
  delivery_id: string;
  channel: Channel;
  /** `owed`: pending; `failed`: permanently, unless its dead letter is redriven. */
  step: 'owed' | 'delivered' | 'failed';
  /** ISO 8601. */
  at: string;
  attempts: number;
  /** The receiver's answer; null while the delivery is pending. */
  detail: string | null;
}>;

/** The id of the effect that delivers a message by a channel. It is the same each time the message is processed. */
export function deliveryEffectId(deliveryId: string, channel: Channel): string {
  return `delivery/${deliveryId}/${channel}`;
}

export const DELIVERIES: FactLog<DeliveryFact> = { name: 'deliveries', key: 'delivery_id' };
