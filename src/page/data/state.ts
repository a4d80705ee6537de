import { computed, signal } from '@preact/signals';
import type { Decisions } from '../../documents/http/live.ts';
import type { ExperimentList } from '../../documents/http/experiment.ts';
import type { Overview } from '../../documents/http/overview.ts';
import type { HourlySales } from '../../documents/reports/analytics.ts';
import type { Item, User } from '../../documents/table.ts';
import {
  getExperiments,
  getHours,
  getInventory,
  getOrder,
  getOrders,
  getUsers,
  type Answer,
  type AnyOrder,
} from './api.ts';
import { followEvents } from './events.ts';
import { isRefused } from './token.ts';

/** How many orders are kept for the list. */
const LISTED = 100;
/** After this long without an event, the numbers are shown as outdated. */
const STALE_MS = 4_000;

export const overview = signal<Overview | null>(null);
/** null: not known yet. */
export const orders = signal<readonly AnyOrder[] | null>(null);
/** Where the list goes on when it was read; null: nowhere. */
export const olderOrders = signal<string | null>(null);
export const items = signal<readonly Item[] | null>(null);
export const users = signal<readonly User[]>([]);
export const hours = signal<HourlySales | null>(null);
export const experiments = signal<ExperimentList | null>(null);
const isCut = signal(false);
/** Milliseconds since the epoch, ten times a second while something moves by itself. */
export const now = signal(Date.now());
export const flow = signal({ accepted: 0, rejected: 0 });

/** `lost`: it was answered, and the server does not know it. */
export type Fate = 'sent' | 'answered' | 'decided' | 'refused' | 'lost';
/** Orders that this browser has placed: the page's own ledger. */
export const placed = signal<ReadonlyMap<string, Fate>>(new Map());

export const heardAt = signal(0);
export const isStale = computed(() => isCut.value || now.value - heardAt.value > STALE_MS);

export function start(): void {
  setInterval(() => (now.value = Date.now()), 200);
  every(2_000, refreshItems);
  every(5_000, refreshUsers);
  every(2_000, refreshOrders);
  every(2_000, checkPlaced);
  every(15_000, async () => {
    hours.value = valueOf(await getHours()) ?? hours.value;
  });
  void refreshExperiments();
  void followEvents({
    onOpen: () => {
      isCut.value = false;
      void refreshExperiments();
    },
    onCut: () => (isCut.value = true),
    onEvent: take,
  });
}

/** Not while nobody looks. */
function every(ms: number, refresh: () => Promise<void>): void {
  void refresh();
  setInterval(() => {
    if (!document.hidden && !isRefused.value) void refresh();
  }, ms);
}

function valueOf<T>(answer: Answer<T>): T | null {
  return answer.ok ? answer.body : null;
}

function take(type: string, data: string): void {
  if (type === 'gap') void refreshOrders();
  else if (type === 'experiment') void refreshExperiments();
  else if (type === 'decisions') takeDecisions(JSON.parse(data) as Decisions);
  else if (type === 'overview') {
    overview.value = JSON.parse(data) as Overview;
    heardAt.value = Date.now();
  }
}

function takeDecisions({ accepted, rejected, orders: latest }: Decisions): void {
  flow.value = { accepted: flow.value.accepted + accepted, rejected: flow.value.rejected + rejected };
  merge(latest.toReversed());
  for (const { order_id } of latest) if (placed.value.has(order_id)) notePlaced(order_id, 'decided');
}

/** Puts these before the others. */
function merge(latest: readonly AnyOrder[]): void {
  const known = new Set(latest.map(({ order_id }) => order_id));
  const others = (orders.value ?? []).filter(({ order_id }) => !known.has(order_id));
  orders.value = [...latest, ...others].slice(0, LISTED);
}

export async function refreshItems(): Promise<void> {
  items.value = valueOf(await getInventory())?.items ?? items.value;
}

async function refreshUsers(): Promise<void> {
  users.value = valueOf(await getUsers())?.users ?? users.value;
}

export async function refreshExperiments(): Promise<void> {
  experiments.value = valueOf(await getExperiments()) ?? experiments.value;
}

/** Orders of the checkout move without being decided again. */
async function refreshOrders(): Promise<void> {
  const page = valueOf(await getOrders(LISTED, null));
  if (page === null) return;
  // What was decided meanwhile, and orders of this browser, may not be in it.
  const found = new Set(page.orders.map(({ order_id }) => order_id));
  const own = (orders.value ?? []).filter(
    (one) => !found.has(one.order_id) && placed.value.has(one.order_id),
  );
  const all = [...own, ...page.orders];
  orders.value = all.sort((a, b) => timeOf(b) - timeOf(a)).slice(0, LISTED);
  olderOrders.value = page.next;
}

function timeOf({ decided_at, created_at }: AnyOrder): number {
  return Date.parse(decided_at ?? created_at ?? '') || Infinity;
}

/** @returns what is known of it now */
export async function refreshOrder(id: string): Promise<Answer<AnyOrder>> {
  const answer = await getOrder(id);
  if (!answer.ok) return answer;
  const list = orders.value ?? [];
  if (list.some(({ order_id }) => order_id === id)) {
    orders.value = list.map((one) => (one.order_id === id ? answer.body : one));
  } else merge([answer.body]);
  if (isFinal(answer.body) && placed.value.has(id)) notePlaced(id, 'decided');
  return answer;
}

const FINAL: ReadonlySet<string> = new Set(['COMPLETED', 'REJECTED', 'FAILED', 'CANCELLED']);

export function isFinal({ status }: Pick<AnyOrder, 'status'>): boolean {
  return FINAL.has(status);
}

/** The page's own audit: what was answered must be known, and end. */
async function checkPlaced(): Promise<void> {
  for (const [id, what] of placed.value) {
    if (what !== 'answered' && what !== 'lost') continue;
    const answer = await getOrder(id);
    if (answer.ok) notePlaced(id, isFinal(answer.body) ? 'decided' : 'answered');
    else if (answer.status === 404) notePlaced(id, 'lost');
  }
}

export function notePlaced(orderId: string, what: Fate): void {
  placed.value = new Map([...placed.value, [orderId, what]]);
}
