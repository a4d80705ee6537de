import type { FactLog } from '../../domain/facts.ts';
import { isoTime } from '../../domain/iso-time.ts';
import { NOTIFICATION, type Notification } from '../../domain/messages/checkout/notification.ts';
import { eventId } from '../../domain/messages/headers.ts';
import type { User } from '../../domain/tables.ts';
import { decideEach, type Draft, type Handled } from '../draft.ts';
import type { ShopOptions } from '../options.ts';
import type { Processor, Received } from '../processor.ts';
import { OWN_TEMPLATES, STEPS, textFor, type Step, type Templates } from './templates.ts';

/** Records that the customer was notified of a step of an order. */
type Notified = Readonly<{
  order_id: string;
  /** The message that announced the step. */
  cause: string;
  notification_id: string;
  /** ISO 8601. */
  at: string;
}>;

export const NOTIFICATIONS: FactLog<Notified> = { name: 'notifications', key: 'order_id' };

/** Notifies the customer of each step of an order exactly once. */
export function notification({
  templates = OWN_TEMPLATES,
}: Pick<ShopOptions, 'templates'>): Processor<Step, Handled> {
  return {
    name: 'notification',
    sources: STEPS,
    emits: [NOTIFICATION],
    keys: (received) => ({
      users: received.flatMap(({ message }) => message.customer_id ?? []),
      facts: new Map([[NOTIFICATIONS, received.map(({ message }) => message.order_id)]]),
    }),
    decide: (received, state) => decideEach(received, state, (one, draft) => decide(one, draft, templates)),
  };
}

function decide(received: Received<Step>, draft: Draft, templates: Templates): Handled {
  const { source: cause, message, traceparent } = received;
  const { order_id, customer_id } = message;
  const { at, storeId: store } = draft.state;
  if (customer_id === null) return { kind: 'ignored', about: order_id, detail: 'no such order was placed' };
  if (draft.facts(NOTIFICATIONS, order_id).some((known) => known.cause === cause)) {
    return { kind: 'seen', about: order_id, detail: `its customer was notified of ${cause} before` };
  }
  const of = [order_id, cause];
  const notification_id = eventId(NOTIFICATION, { store, of });
  const to = addressOf(draft.state.user(customer_id));
  draft.append(NOTIFICATIONS, { order_id, cause, notification_id, at: isoTime(at) });
  draft.send(
    NOTIFICATION,
    { notification_id, customer_id, order_id, ...to, ...textFor(received, to.channel, templates), cause, at },
    of,
    traceparent,
  );
  return { kind: 'handled', about: order_id, detail: `${cause}, by ${to.channel}` };
}

/** The address from the columns `email` and `notify` of the user's row. Without one, the notification is logged. */
function addressOf(user: User | undefined): Pick<Notification, 'channel' | 'recipient'> {
  const { email = '', notify = '' } = user?.extra ?? {};
  const recipient = email === '' ? null : email;
  if (notify === 'webhook') return { channel: 'webhook', recipient };
  return { channel: notify === 'log' || recipient === null ? 'log' : 'email', recipient };
}
