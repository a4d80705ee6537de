import { ORDER_CANCELLED, type OrderCancelled } from '../../domain/messages/checkout/order-cancelled.ts';
import { ORDER_REJECTED, type OrderRejected } from '../../domain/messages/checkout/order-rejected.ts';
import { PAYMENT_FAILED, type PaymentFailed } from '../../domain/messages/checkout/payment-failed.ts';
import {
  PAYMENT_PROCESSED,
  type PaymentProcessed,
} from '../../domain/messages/checkout/payment-processed.ts';
import { PAYMENT_REFUNDED, type PaymentRefunded } from '../../domain/messages/checkout/payment-refunded.ts';
import { SHIPMENT_CREATED, type ShipmentCreated } from '../../domain/messages/checkout/shipment-created.ts';
import {
  SHIPMENT_DISPATCHED,
  type ShipmentDispatched,
} from '../../domain/messages/checkout/shipment-dispatched.ts';
import { Failure } from '../../domain/failure.ts';
import type { Message } from '../../domain/messages/message.ts';
import type { Notification } from '../../domain/messages/checkout/notification.ts';
import type { TextFile } from '../../domain/checkout/text-file.ts';
import { isOf, type Received } from '../processor.ts';
import { fill, parseTemplate, type Template, type Text } from './template.ts';

export type Step =
  | OrderRejected
  | PaymentProcessed
  | PaymentFailed
  | PaymentRefunded
  | ShipmentCreated
  | ShipmentDispatched
  | OrderCancelled;

/** The messages of which customers are notified, in the order of the catalogue. */
export const STEPS = [
  ORDER_REJECTED,
  PAYMENT_PROCESSED,
  PAYMENT_FAILED,
  PAYMENT_REFUNDED,
  SHIPMENT_CREATED,
  SHIPMENT_DISPATCHED,
  ORDER_CANCELLED,
] as const;

const REFUSED = `${ORDER_CANCELLED.name}.refused`;
const CHANNELS: readonly Notification['channel'][] = ['log', 'email', 'webhook'];

/** The default texts. */
const OWN: Readonly<Record<string, readonly [subject: string, body: string]>> = {
  [ORDER_REJECTED.name]: [
    'Order {{order_id}} cannot be fulfilled',
    'We cannot fulfil order {{order_id}}: {{detail}}.',
  ],
  [PAYMENT_PROCESSED.name]: [
    'Order {{order_id}} is paid',
    'We have received {{amount}} for order {{order_id}}. Thank you.',
  ],
  [PAYMENT_FAILED.name]: [
    'Payment of order {{order_id}} failed',
    'Your payment of {{amount}} for order {{order_id}} was declined.',
  ],
  [PAYMENT_REFUNDED.name]: [
    'Order {{order_id}} is refunded',
    'We have refunded the {{amount}} that you paid for order {{order_id}}.',
  ],
  [SHIPMENT_CREATED.name]: [
    'Order {{order_id}} is being packed',
    'We are packing order {{order_id}}:\n\n{{items}}\n\nIt goes to:\n{{shipping_address}}',
  ],
  [SHIPMENT_DISPATCHED.name]: [
    'Order {{order_id}} is on its way',
    'Order {{order_id}} has left us ({{carrier}}, number {{tracking_number}}).',
  ],
  [ORDER_CANCELLED.name]: [
    'Order {{order_id}} is cancelled',
    'Order {{order_id}} is cancelled. What you paid for it will be refunded.',
  ],
  [REFUSED]: [
    'Order {{order_id}} cannot be cancelled',
    'Order {{order_id}} cannot be cancelled: {{detail}}.',
  ],
};

/** Templates by step, or by step and channel: `payments.processed`, `payments.processed.email`. */
export type Templates = ReadonlyMap<string, Template>;

export const OWN_TEMPLATES: Templates = new Map(
  Object.entries(OWN).map(([name, [subject, body]]) => {
    return [name, parseTemplate(`Subject: ${subject}\n\n${body}\n`, name, messageOf(name))];
  }),
);

const NAMES = Object.keys(OWN).flatMap((name) => [name, ...CHANNELS.map((channel) => `${name}.${channel}`)]);

/**
 * The texts of a shop: those of its files, and the defaults for all others.
 *
 * @param files files named `payments.processed.txt`
 * @throws Failure invalid_input (no step has this name), and as parseTemplate
 */
export function templatesFrom(files: readonly TextFile[]): Templates {
  const templates = new Map(OWN_TEMPLATES);
  for (const { name, path, text } of files) {
    const of = name.replace(/\.txt$/, '');
    if (!name.endsWith('.txt') || !NAMES.includes(of)) {
      throw new Failure('invalid_input', `${path} is not the template of any step`, {
        fix: `name it STEP.txt or STEP.CHANNEL.txt; steps: ${Object.keys(OWN).join(', ')}; channels: ${CHANNELS.join(', ')}`,
        context: { file: path },
      });
    }
    templates.set(of, parseTemplate(text, path, messageOf(of)));
  }
  return templates;
}

function messageOf(name: string): Message {
  const found = STEPS.find((step) => name === step.name || name.startsWith(`${step.name}.`));
  if (found === undefined) throw new Error(`no step ${name}`);
  return found;
}

/** The text for a step of an order. */
export function textFor(
  received: Received<Step>,
  channel: Notification['channel'],
  templates: Templates,
): Text {
  const { source, message } = received;
  const isRefused = isOf(received, ORDER_CANCELLED) && received.message.outcome === 'refused';
  const name = isRefused ? REFUSED : source;
  const template = templates.get(`${name}.${channel}`) ?? templates.get(name);
  if (template === undefined) throw new Error(`no template of ${name}`);
  return fill(template, message);
}
