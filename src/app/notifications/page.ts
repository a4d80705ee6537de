import type { Notification } from '../../domain/messages/checkout/notification.ts';
import type { StoreAccess } from '../../ports/access.ts';
import type { Broker } from '../../ports/broker.ts';
import type { Codec } from '../../ports/codec.ts';
import { DELIVERIES, type DeliveryFact } from '../../processors/delivery/facts.ts';
import type { PageMark } from '../topics/from-end.ts';
import { messagePage } from '../topics/message-page.ts';

export interface SeenNotification {
  readonly notification: Notification;
  /** Of each channel the last step; none: delivery has not read it yet. */
  readonly deliveries: readonly DeliveryFact[];
}

export interface NotificationPage {
  readonly notifications: readonly SeenNotification[];
  readonly next: PageMark | null;
}

/** Messages to customers, and what became of each, a page at a time: as messagePage. */
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
    /** Those about it; null: all. */
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
