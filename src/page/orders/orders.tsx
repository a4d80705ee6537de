import { signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { getOrders, type AnyOrder } from '../data/api.ts';
import { OrderDetails } from './order-details.tsx';
import { isFinal, olderOrders, orders, placed, refreshOrder, timeOf } from '../data/state.ts';
import { clock, fieldIn, itemsInWords, shortId } from '../text.ts';

const SHOWN = 20;
/** How many of this browser's latest orders stay in sight. */
const KEPT = 5;
const PAGE = 100;
/** More rows would make the page slow; for those there is the command line. */
const MAX_OLDER = 1_000;
const opened = signal<string | null>(null);
/** The order that was searched for by its id; shown first, however old, until another is opened. */
const found = signal<AnyOrder | null>(null);
/** Pages of older orders, as they were when read. */
const older = signal<readonly AnyOrder[]>([]);
const next = signal<string | null>(null);

/** Live orders, the latest first; an opened one shows its details. */
export function Orders() {
  const all = orders.value;
  const sorted = (all ?? []).toSorted((a, b) => timeOf(b) - timeOf(a));
  // The opened order and the latest of this browser do not move out of sight.
  const own = sorted.filter(({ order_id }) => placed.value.has(order_id)).slice(0, KEPT);
  const kept = new Set([opened.value, ...own.map(({ order_id }) => order_id)]);
  const isLong = older.value.length > 0;
  const latest = sorted.filter(({ order_id }, at) => isLong || at < SHOWN || kept.has(order_id));
  const known = new Set(latest.map(({ order_id }) => order_id));
  const others = [...latest, ...older.value.filter(({ order_id }) => !known.has(order_id))];
  const rows = foundFirst(others);
  return (
    <section class="card orders" aria-labelledby="orders-title">
      <h2 id="orders-title">Orders</h2>
      <Find />
      {all === null ? (
        <p class="quiet">Loading the latest orders …</p>
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
      <Older hidden={(all ?? []).length < SHOWN} />
    </section>
  );
}

function foundFirst(rows: readonly AnyOrder[]): readonly AnyOrder[] {
  const asFound = found.value;
  if (asFound === null) return rows;
  const id = asFound.order_id;
  return [
    rows.find(({ order_id }) => order_id === id) ?? asFound,
    ...rows.filter(({ order_id }) => order_id !== id),
  ];
}

function Find() {
  const [said, say] = useState('');
  const find = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const id = fieldIn(event, 'id');
    const answer = await refreshOrder(id);
    say(answer.ok ? '' : answer.detail);
    if (!answer.ok) return;
    opened.value = id;
    found.value = answer.body;
  };
  return (
    <form class="find" role="search" onSubmit={(event) => void find(event)}>
      <label>
        Order id
        <input name="id" required autocomplete="off" placeholder="ORD-…" />
      </label>
      <button type="submit">Find</button>
      <p class="said bad" role="status">
        {said}
      </p>
    </form>
  );
}

function Older({ hidden }: { hidden: boolean }) {
  const [isReading, setReading] = useState(false);
  const from = older.value.length === 0 ? olderOrders.value : next.value;
  if (hidden || from === null) return null;
  if (older.value.length >= MAX_OLDER) {
    return (
      <p class="quiet">
        Older ones: <code>orderctl order list --limit 5000</code>
      </p>
    );
  }
  const read = async (): Promise<void> => {
    setReading(true);
    const answer = await getOrders(PAGE, from);
    setReading(false);
    if (!answer.ok) return;
    older.value = [...older.value, ...answer.body.orders];
    next.value = answer.body.next;
  };
  return (
    <button type="button" class="more" disabled={isReading} onClick={() => void read()}>
      {isReading ? 'Reading …' : 'Show older orders'}
    </button>
  );
}

function lookOf({ status }: AnyOrder): 'good' | 'bad' | 'moving' {
  if (status === 'COMPLETED') return 'good';
  return isFinal({ status }) ? 'bad' : 'moving';
}

function Row({ order }: { order: AnyOrder }) {
  const isOpen = opened.value === order.order_id;
  const look = lookOf(order);
  const button = useRef<HTMLButtonElement>(null);
  // Changes with each answer of "Find", even one for the same order.
  const asFound = found.value?.order_id === order.order_id ? found.value : null;
  useEffect(() => {
    if (asFound === null) return;
    button.current?.focus({ preventScroll: true });
    // Without animation, and not to the edge, where the verdict would cover it.
    button.current?.scrollIntoView({ block: 'center' });
  }, [asFound]);
  const toggle = (): void => {
    opened.value = isOpen ? null : order.order_id;
    if (!isOpen && asFound === null) found.value = null;
  };
  return (
    <li>
      <button ref={button} type="button" class="row" aria-expanded={isOpen} onClick={toggle}>
        <span class={`dot ${look}`} aria-hidden="true" />
        <time>{clock(order.decided_at ?? order.created_at)}</time>
        <code title={order.order_id}>{shortId(order.order_id)}</code>
        {placed.value.has(order.order_id) ? <small class="tag you">yours</small> : null}
        <span class="what">
          {order.user === null || order.user === '' ? '–' : order.user} · {itemsInWords(order.items)}
        </span>
        <span class={look}>
          {(look === 'bad' ? (order.reason ?? order.status) : order.status)
            .toLowerCase()
            .replaceAll('_', ' ')}
        </span>
      </button>
      {isOpen ? <OrderDetails order={order} /> : null}
    </li>
  );
}
