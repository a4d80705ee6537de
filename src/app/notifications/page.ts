import type { Notification } from '../../domain/messages/checkout/notification.ts';
import type { StoreAccess } from '../../ports/access.ts';
import type { Broker } from '../../ports/broker.ts';
import type { Codec } from '../../ports/codec.ts';
import { DELIVERIES, type DeliveryFact } from '../../processors/delivery/facts.ts';
import type { PageMark } from '../topics/from-end.ts';
import { messagePage } from '../topics/message-page.ts';

export interface SeenNotification {
  readonly notification: Notification;
  /** The last step of each channel; empty: delivery has not read it yet. */
  readonly deliveries: readonly DeliveryFact[];
}

export interface NotificationPage {
  readonly notifications: readonly SeenNotification[];
  readonly next: PageMark | null;
}

/** One page of messages to customers, with their deliveries. As messagePage. */
export async function notificationPage(
  ports: {
    readonly access: StoreAccess;
    readonly broker: Broker;
    readonly codec: Codec<Notification>;
    readonly topic: string;
  },
  {
    orderId,
    ...page
  }: {
    /** Only messages about this order; null: all. */
    readonly orderId: string | null;
    readonly limit: number;
    readonly mark: PageMark | null;
    readonly signal?: AbortSignal;
  },
): Promise<NotificationPage> {
  const { rows, next } = await messagePage<Notification>(ports, {
    ...page,
    at: ({ at }) => at,
    id: ({ notification_id }) => notification_id,
    isWanted: ({ order_id }) => orderId === null || order_id === orderId,
  });
  await using reader = await ports.access.read();
  const notifications: SeenNotification[] = [];
  for (const notification of rows) {
    const facts = await reader.facts(DELIVERIES, notification.notification_id);
    const byChannel = new Map(facts.map((fact) => [fact.channel, fact]));
    notifications.push({ notification, deliveries: [...byChannel.values()] });
  }
  return { notifications, next };
}
