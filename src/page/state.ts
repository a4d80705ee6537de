import { computed, signal } from '@preact/signals';
import type { Decisions, OrderState } from '../documents/http/order-state.ts';
import type { Overview } from '../documents/http/overview.ts';
import type { Item } from '../documents/table.ts';
import { getInventory, getOrders } from './api.ts';

/** How many orders are kept for the list. */
const LISTED = 100;
/** After this long without an event, the numbers are shown as outdated. */
const STALE_MS = 4_000;

export const overview = signal<Overview | null>(null);
/** null: not known yet. */
export const orders = signal<readonly OrderState[] | null>(null);
export const items = signal<readonly Item[] | null>(null);
const isCut = signal(false);
/** Milliseconds since the epoch, ten times a second while something moves by itself. */
export const now = signal(Date.now());
export const flow = signal({ accepted: 0, rejected: 0 });

/** Orders that this browser has placed: the page's own ledger. */
export const placed = signal<ReadonlyMap<string, 'sent' | 'answered' | 'decided' | 'refused'>>(new Map());

export const heardAt = signal(0);
export const isStale = computed(() => isCut.value || now.value - heardAt.value > STALE_MS);

export function start(): void {
  setInterval(() => (now.value = Date.now()), 200);
  setInterval(() => void refreshItems(), 2_000);
  void refreshItems();
  void refreshOrders();
  const events = new EventSource('/events');
  events.addEventListener('open', () => {
    isCut.value = false;
  });
  events.addEventListener('error', () => {
    isCut.value = true;
  });
  events.addEventListener('gap', () => void refreshOrders());
  events.addEventListener('overview', ({ data }: MessageEvent<string>) => {
    overview.value = JSON.parse(data) as Overview;
    heardAt.value = Date.now();
  });
  events.addEventListener('decisions', ({ data }: MessageEvent<string>) =>
    take(JSON.parse(data) as Decisions),
  );
}

function take({ accepted, rejected, orders: latest }: Decisions): void {
  flow.value = { accepted: flow.value.accepted + accepted, rejected: flow.value.rejected + rejected };
  const known = new Set(latest.map(({ order_id }) => order_id));
  orders.value = [
    ...latest.toReversed(),
    ...(orders.value ?? []).filter(({ order_id }) => !known.has(order_id)),
  ].slice(0, LISTED);
  const decided = latest.filter(({ order_id }) => placed.value.has(order_id));
  if (decided.length === 0) return;
  placed.value = new Map([...placed.value, ...decided.map(({ order_id }) => [order_id, 'decided'] as const)]);
}

export async function refreshItems(): Promise<void> {
  items.value = (await getInventory()) ?? items.value;
}

async function refreshOrders(): Promise<void> {
  orders.value = (await getOrders(LISTED)) ?? orders.value;
}

export function notePlaced(orderId: string, what: 'sent' | 'answered' | 'decided' | 'refused'): void {
  placed.value = new Map([...placed.value, [orderId, what]]);
}
