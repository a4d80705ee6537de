import { notificationPage, type SeenNotification } from '../../app/notifications/page.ts';
import { readOrderRecords, type OrderRecord } from '../../app/orders/records.ts';
import { openInspector } from '../../compose.ts';
import type { Notification, OrderRecord as RecordDocument } from '../../documents/http/messages.ts';
import { isoTime } from '../../domain/iso-time.ts';
import { NOTIFICATION, type Notification as Message } from '../../domain/messages/checkout/notification.ts';
import { topicOf } from '../../domain/messages/topic-names.ts';
import type { Views } from '../../http/shop.ts';
import type { Codec } from '../../ports/codec.ts';
import { registryConnection } from '../kafka/connection.ts';
import { recordDocument } from '../output/dead-letters/show.ts';
import type { Session } from '../session.ts';
import type { ViewPorts } from './dead-letters.ts';

/** The records and messages of an order. */
export function messagesOf(
  { resolved, settings }: Session,
  { access, broker, codecOf }: ViewPorts,
): Pick<Views, 'notifications' | 'orderRecords'> {
  return {
    notifications: async ({ filter, ...options }) => {
      const codec = (await codecOf(NOTIFICATION)) as Codec<Message>;
      const page = await notificationPage(
        { access, broker, codec, topic: topicOf(NOTIFICATION, settings.topics) },
        { ...options, ...filter },
      );
      return { notifications: page.notifications.map(notificationDocument), next: page.next };
    },
    orderRecords: async (orderId) => {
      const inspector = await openInspector(registryConnection(resolved));
      return (await readOrderRecords({ access, broker, inspector }, orderId))?.map(orderRecordDocument);
    },
  };
}

function notificationDocument({ notification, deliveries }: SeenNotification): Notification {
  const { notification_id, order_id, customer_id, cause, channel } = notification;
  const { recipient, subject, body, at } = notification;
  return {
    notification_id,
    order_id,
    customer_id,
    cause,
    channel,
    recipient,
    subject,
    body,
    at: isoTime(at),
    deliveries: deliveries.map(({ channel: by, step, at: time, attempts, detail }) => {
      return { channel: by, step, at: time, attempts, detail };
    }),
  };
}

function orderRecordDocument(found: OrderRecord): RecordDocument {
  const { topic, partition, offset, record, inspection, problem } = found;
  const nothing = { headers: [], key: null, value: null, decoded: null };
  return {
    topic,
    partition,
    offset,
    timestamp: record === null ? null : isoTime(record.timestamp),
    ...(record === null ? nothing : recordDocument(record, inspection)),
    problem: problem?.message ?? null,
  };
}
