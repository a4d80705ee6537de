import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { CheckoutOrder } from '../../documents/checkout/order.ts';
import { cancelOrder, type AnyOrder } from '../data/api.ts';
import { isFinal, refreshOrder } from '../data/state.ts';
import { ByHand } from '../by-hand.tsx';
import { Records } from './records.tsx';
import { clock, inSeconds } from '../text.ts';

const LOOK_EVERY_MS = 1_000;

function isCheckout(order: AnyOrder): order is CheckoutOrder {
  return 'flow' in order;
}

/** The details of an order, refreshed each second until the order is final. */
export function OrderDetails({ order }: { order: AnyOrder }) {
  const { order_id: id } = order;
  const mayMove = !isFinal(order) || (isCheckout(order) && order.shipment?.status === 'created');
  useEffect(() => {
    if (!mayMove && !isCheckout(order)) return undefined;
    void refreshOrder(id);
    const timer = mayMove ? setInterval(() => void refreshOrder(id), LOOK_EVERY_MS) : 0;
    return () => clearInterval(timer);
  }, [id, mayMove]);
  return (
    <div class="details">
      {isCheckout(order) ? <Checkout order={order} /> : <Direct order={order} />}
      <Records id={id} isDecided={order.decided_at !== null || isCheckout(order)} />
      <ByHand cli={`orderctl order explain ${id}`} call={`GET /orders/${id}`} />
    </div>
  );
}

function Entry({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

function Direct({ order }: { order: Exclude<AnyOrder, CheckoutOrder> }) {
  const place = `${order.topic ?? ''}/${order.partition ?? ''}@${order.offset ?? ''}`;
  const isDecided = order.decided_at !== null;
  return (
    <dl>
      <Entry name="order">
        <code>{order.order_id}</code>
      </Entry>
      <Entry name="why">
        {isDecided
          ? (order.detail ?? `user ${order.user} has paid, and all items were on hand`)
          : 'not decided yet'}
      </Entry>
      <Entry name="items">
        {order.items
          .map(({ item, quantity, stock }) => `${item} × ${quantity ?? '?'} of ${stock ?? 'none'} on hand`)
          .join(', ')}
      </Entry>
      <Entry name="created">{clock(order.created_at)}</Entry>
      {isDecided ? (
        <Entry name="decided">
          {clock(order.decided_at)}, on record <code>{place}</code>
        </Entry>
      ) : null}
    </dl>
  );
}

function Checkout({ order }: { order: CheckoutOrder }) {
  const { payment, refund, shipment, timeline } = order;
  return (
    <>
      <dl>
        <Entry name="order">
          <code>{order.order_id}</code>
        </Entry>
        {order.detail === null ? null : <Entry name="why">{order.detail}</Entry>}
        <Entry name="items">
          {order.items
            .map(({ item, quantity, unit_price }) => `${item} × ${quantity ?? '?'} at ${unit_price ?? '?'}`)
            .join(', ')}
          {order.total_amount === null ? '' : `, ${order.total_amount} in all`}
        </Entry>
        {payment === null ? null : <Entry name="payment">{moneyInWords(payment)}</Entry>}
        {refund === null ? null : <Entry name="refund">{moneyInWords(refund)}</Entry>}
        {shipment === null ? null : (
          <Entry name="shipment">
            {[shipment.status, shipment.carrier, shipment.tracking_number]
              .filter((word) => word !== null)
              .join(', ')}
          </Entry>
        )}
      </dl>
      <ol class="timeline" aria-label="Timeline">
        {timeline.map(({ step, at, topic, partition, offset, detail }, index) => {
          const before = timeline[index - 1];
          return (
            <li key={`${step} ${topic} ${partition} ${offset}`}>
              <time>{clock(at)}</time>
              <b>{step.replaceAll('_', ' ')}</b>
              <span class="quiet">
                {before === undefined ? '' : `+${inSeconds(Date.parse(at) - Date.parse(before.at))} `}
              </span>
              <span class="what">{detail}</span>
              <code class="quiet">
                {topic}/{partition}@{offset}
              </code>
            </li>
          );
        })}
      </ol>
      <Cancel order={order} />
    </>
  );
}

function moneyInWords({
  status,
  amount,
  attempts,
  reason,
  next_try_at,
}: NonNullable<CheckoutOrder['payment']>) {
  return [
    status,
    amount,
    attempts > 1 ? `after ${attempts} tries` : null,
    reason?.replaceAll('_', ' ') ?? null,
    next_try_at === null ? null : `next try at ${clock(next_try_at)}`,
  ]
    .filter((word) => word !== null)
    .join(', ');
}

function Cancel({ order }: { order: CheckoutOrder }) {
  const [said, say] = useState('');
  const isOver = order.shipment?.status === 'dispatched' || (isFinal(order) && order.status !== 'COMPLETED');
  if (isOver) return null;
  const cancel = async (): Promise<void> => {
    say('…');
    const answer = await cancelOrder(order.order_id);
    say(answer.ok ? '' : answer.detail);
    await refreshOrder(order.order_id);
  };
  return (
    <div>
      <button type="button" class="more" onClick={() => void cancel()}>
        Cancel this order
      </button>{' '}
      <span role="status">{said}</span>
      <ByHand
        cli={`orderctl order cancel ${order.order_id}`}
        call={`POST /orders/${order.order_id}/cancel`}
      />
    </div>
  );
}
