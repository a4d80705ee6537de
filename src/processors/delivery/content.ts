import { NOTIFICATION, type Notification } from '../../domain/messages/checkout/notification.ts';
import type { Alert } from '../../domain/messages/shop/alert.ts';
import { isoTime } from '../../domain/iso-time.ts';
import type { DeliveryFields } from './processor.ts';

/** What is sent, the same for every channel. `data` keeps the field names of the message. */
export interface Content {
  /** Of the webhook: `alert.low_stock`, `notification`. */
  readonly event: string;
  readonly subject: string;
  readonly text: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** As one line of a log: of a notification, with whom it is for. */
export function logLineOf({ source, message }: Pick<DeliveryFields, 'source' | 'message'>): string {
  if (source !== NOTIFICATION.name) return oneLine((message as unknown as Alert).message);
  const { customer_id, subject } = message as unknown as Notification;
  return `to customer ${oneLine(customer_id)}: ${oneLine(subject)}`;
}

/** Of the message that asked for it. */
export function contentOf({ source, message }: Pick<DeliveryFields, 'source' | 'message'>): Content {
  return source === NOTIFICATION.name
    ? notificationContent(message as unknown as Notification)
    : alertContent(message as unknown as Alert);
}

function alertContent(alert: Alert): Content {
  const { item, on_hand, reorder_level, order_id } = alert;
  const facts = [
    ['item', item],
    ['on hand', on_hand],
    ['reorder level', reorder_level],
    ['order', order_id],
    ['at', isoTime(alert.at)],
  ].flatMap(([name, value]) => (value === null ? [] : [`${name}: ${value}`]));
  return {
    event: `alert.${alert.kind}`,
    subject: oneLine(alert.message),
    text: `${alert.message}\n\n${facts.join('\n')}\n`,
    data: { ...alert, at: isoTime(alert.at) },
  };
}

function notificationContent(notification: Notification): Content {
  return {
    event: 'notification',
    subject: oneLine(notification.subject),
    text: notification.body,
    data: { ...notification, at: isoTime(notification.at) },
  };
}

/** Any program may have sent the message, and a line break in a subject would begin another header. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ');
}
