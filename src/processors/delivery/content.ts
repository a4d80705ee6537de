import { NOTIFICATION, type Notification } from '../../domain/messages/checkout/notification.ts';
import type { Alert } from '../../domain/messages/shop/alert.ts';
import { isoTime } from '../../domain/iso-time.ts';
import type { DeliveryFields } from './processor.ts';

/** The content to send, the same for all channels. `data` has the field names of the message. */
export interface Content {
  /** The type of the webhook event: `alert.low_stock`, `notification`. */
  readonly event: string;
  readonly subject: string;
  readonly text: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The message as one line of a log; for a notification, with its customer. */
export function logLineOf({ source, message }: Pick<DeliveryFields, 'source' | 'message'>): string {
  if (source !== NOTIFICATION.name) return oneLine((message as unknown as Alert).message);
  const { customer_id, subject } = message as unknown as Notification;
  return `to customer ${oneLine(customer_id)}: ${oneLine(subject)}`;
}

/** The content of the message that is to be delivered. */
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

/**
 * Replaces control characters: any program may have sent the message, and a line break in a subject would add a
 * header.
 */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ');
}
