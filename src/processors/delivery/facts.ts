import type { FactLog } from '../../domain/facts.ts';

/** By which channel something reaches somebody. */
export type Channel = 'log' | 'mail' | 'webhook';

/** What happened to a message for the outside. */
export type DeliveryFact = Readonly<{
  /** The id of the alert or notification. */
  delivery_id: string;
  channel: Channel;
  /** `owed`: it is to be sent; `failed`: for good, unless it is redriven. */
  step: 'owed' | 'delivered' | 'failed';
  /** ISO 8601. */
  at: string;
  attempts: number;
  /** What the other side said; null while it is owed. */
  detail: string | null;
}>;

export const DELIVERIES: FactLog<DeliveryFact> = { name: 'deliveries', key: 'delivery_id' };
