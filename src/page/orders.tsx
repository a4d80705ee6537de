import { signal } from '@preact/signals';
import type { OrderState } from '../documents/http/order-state.ts';
import { orders } from './state.ts';
import { clock, itemsInWords, shortId } from './text.ts';

const SHOWN = 40;
const opened = signal<string | null>(null);

/** Orders as they are decided, the latest first; one opened shows all that is known of it. */
export function Orders() {
  const all = orders.value;
  const shown = (all ?? []).slice(0, SHOWN);
  const kept = all?.find(({ order_id }) => order_id === opened.value);
  // One that is being looked at does not move out of sight.
  const rows = kept === undefined || shown.includes(kept) ? shown : [kept, ...shown];
  return (
    <section class="card orders">
      <h2>Orders</h2>
      {all === null ? (
        <p class="quiet">Asking for the latest orders …</p>
      ) : rows.length === 0 ? (
        <p class="quiet">
          No order is decided yet. Place one here, or send some: <code>orderctl produce --count 20</code>
        </p>
      ) : (
        <ul>
          {rows.map((order) => (
            <Row key={order.order_id} order={order} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Row({ order }: { order: OrderState }) {
  const isOpen = opened.value === order.order_id;
  const isGood = order.status === 'COMPLETED';
  return (
    <li>
      <button
        type="button"
        class="row"
        aria-expanded={isOpen}
        onClick={() => (opened.value = isOpen ? null : order.order_id)}
      >
        <span class={`dot ${isGood ? 'good' : 'bad'}`} aria-hidden="true" />
        <time>{clock(order.decided_at)}</time>
        <code title={order.order_id}>{shortId(order.order_id)}</code>
        <span class="what">
          {order.user === '' ? '–' : order.user} · {itemsInWords(order.items)}
        </span>
        <span class={isGood ? 'good' : 'bad'}>
          {isGood ? 'completed' : (order.reason ?? 'rejected').replaceAll('_', ' ')}
        </span>
      </button>
      {isOpen ? <Details order={order} /> : null}
    </li>
  );
}

function Details({ order }: { order: OrderState }) {
  const place = `${order.topic ?? ''}/${order.partition ?? ''}@${order.offset ?? ''}`;
  return (
    <div class="details">
      <dl>
        <dt>order</dt>
        <dd>
          <code>{order.order_id}</code>
        </dd>
        <dt>why</dt>
        <dd>{order.detail ?? `user ${order.user} has paid, and all items were on hand`}</dd>
        <dt>items</dt>
        <dd>
          {order.items
            .map(({ item, quantity, stock }) => `${item} × ${quantity ?? '?'} of ${stock ?? 'none'} on hand`)
            .join(', ')}
        </dd>
        <dt>created</dt>
        <dd>{clock(order.created_at)}</dd>
        <dt>decided</dt>
        <dd>
          {clock(order.decided_at)}, on record <code>{place}</code>
        </dd>
      </dl>
      <p class="quiet">
        <code>orderctl order explain {order.order_id}</code>
      </p>
      <p class="quiet">
        <code>
          curl {location.origin}/orders/{order.order_id}
        </code>
      </p>
    </div>
  );
}
