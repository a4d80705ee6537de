import { newEffect, type Answer, type Effect, type EffectChange } from '../../domain/effects.ts';
import { isoTime } from '../../domain/iso-time.ts';
import { NOTIFICATION, type Notification } from '../../domain/messages/checkout/notification.ts';
import { setAside } from '../../domain/messages/outgoing.ts';
import { ALERT, type Alert } from '../../domain/messages/shop/alert.ts';
import type { RecordId } from '../../domain/orders/order.ts';
import { decideEach, settleEach, type Draft, type Handled } from '../draft.ts';
import type { ShopOptions } from '../options.ts';
import { isOf, type EffectHandler, type Processor, type Received } from '../processor.ts';
import { afterFault, dueAgain, parked } from '../retries.ts';
import { DELIVERIES, deliveryEffectId, type Channel, type DeliveryFact } from './facts.ts';
import type { DeliveryRules } from './rules.ts';

const CHANNELS: readonly Channel[] = ['log', 'mail', 'webhook'];

/** The fields of a delivery: the address, and the message to deliver. */
export interface DeliveryFields extends Readonly<Record<string, unknown>> {
  readonly delivery_id: string;
  readonly to: string | null;
  readonly at: number;
  readonly source: string;
  readonly message: Readonly<Record<string, unknown>>;
  readonly record: RecordId;
  readonly traceparent: string | null;
}

/** Sends alerts and notifications to external receivers: each at least once, always under the same id. */
export function delivery({
  delivery: rules,
}: Pick<ShopOptions, 'delivery'>): Processor<Alert | Notification, Handled> {
  return {
    name: 'delivery',
    sources: [ALERT, NOTIFICATION],
    emits: [],
    keys: (received) => {
      const ids = received.map(idOf);
      return {
        facts: new Map([[DELIVERIES, ids]]),
        effects: ids.flatMap((id) => CHANNELS.map((channel) => deliveryEffectId(id, channel))),
      };
    },
    decide: (received, state) => decideEach(received, state, (one, draft) => schedule(one, draft, rules)),
    effects: EFFECTS,
  };
}

const EFFECTS: EffectHandler = {
  kinds: CHANNELS,
  keys: () => ({}),
  settle: (answered, state) => settleEach(answered, state, settle),
};

function idOf(received: Received<Alert | Notification>): string {
  if (isOf(received, NOTIFICATION)) return received.message.notification_id;
  return (received.message as Alert).event_id;
}

function schedule(received: Received<Alert | Notification>, draft: Draft, rules: DeliveryRules): Handled {
  const id = idOf(received);
  const { at } = draft.state;
  if (draft.facts(DELIVERIES, id).length > 0) {
    const again = CHANNELS.flatMap((channel) => draft.effect(deliveryEffectId(id, channel)) ?? []).filter(
      ({ state }) => state === 'parked',
    );
    for (const effect of again) draft.change({ id: effect.id, effect: dueAgain(effect, at) });
    return again.length === 0
      ? { kind: 'seen', about: id, detail: 'it was handled before' }
      : { kind: 'handled', about: id, detail: 'it will be tried once more' };
  }
  const routes = routesOf(received, rules);
  for (const [channel, to] of routes) {
    draft.change(newDelivery(id, channel, to, received, at));
    draft.append(DELIVERIES, {
      delivery_id: id,
      channel,
      step: 'owed',
      at: isoTime(at),
      attempts: 0,
      detail: null,
    });
  }
  return { kind: 'handled', about: id, detail: `to be sent by ${routes.map(([name]) => name).join(', ')}` };
}

type Route = readonly [channel: Channel, to: string | null];

function routesOf(received: Received<Alert | Notification>, { mail, webhook }: DeliveryRules): Route[] {
  const routes: Route[] = [];
  if (isOf(received, NOTIFICATION)) {
    const { channel, recipient } = received.message;
    if (channel === 'email' && mail !== null && recipient !== null) routes.push(['mail', recipient]);
    if (channel === 'webhook' && webhook) routes.push(['webhook', recipient]);
  } else {
    if (mail !== null && mail.alertsTo !== null) routes.push(['mail', mail.alertsTo]);
    if (webhook) routes.push(['webhook', null]);
  }
  return routes.length === 0 ? [['log', null]] : routes;
}

function newDelivery(
  id: string,
  kind: Channel,
  to: string | null,
  received: Received<Alert | Notification>,
  at: number,
): EffectChange {
  const { message, record, source, traceparent } = received;
  const fields: DeliveryFields = {
    delivery_id: id,
    to,
    at: message.at,
    source,
    message,
    record,
    traceparent,
  };
  return newEffect({ id: deliveryEffectId(id, kind), kind, key: id, fields }, at);
}

function settle(effect: Effect, answer: Answer, draft: Draft): void {
  const { at } = draft.state;
  const { delivery_id } = effect.fields as unknown as DeliveryFields;
  const { kind, attempts } = effect;
  const append = (step: DeliveryFact['step'], detail: string): void =>
    draft.append(DELIVERIES, {
      delivery_id,
      channel: kind as Channel,
      at: isoTime(at),
      attempts,
      step,
      detail,
    });
  if (answer.kind === 'done' && answer.fields.outcome === 'delivered') {
    draft.change({ id: effect.id, effect: null });
    append('delivered', String(answer.fields.detail));
    return;
  }
  const isRefused = answer.kind === 'done';
  const detail = isRefused ? String(answer.fields.detail) : answer.message;
  const next = isRefused ? parked(effect) : afterFault(effect, at);
  draft.change({ id: effect.id, effect: next });
  if (next.state === 'parked') {
    append('failed', detail);
    giveUp(draft, effect, isRefused ? 'delivery_refused' : 'delivery_failed', detail);
  }
}

function giveUp(draft: Draft, effect: Effect, code: string, detail: string): void {
  const { source, message, record, traceparent } = effect.fields as unknown as DeliveryFields;
  const why = { code, message: detail, attempts: effect.attempts, processor: 'delivery', record } as const;
  const of = source === NOTIFICATION.name ? NOTIFICATION : ALERT;
  draft.sendAside(setAside(of, message, why, { at: draft.state.at, traceparent, asked: effect.kind }));
}
