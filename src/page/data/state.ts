import { computed, signal } from '@preact/signals';
import type { Alert } from '../../documents/http/alerts.ts';
import type { Decisions, NewAlerts, Statuses, StockChanges } from '../../documents/http/live.ts';
import type { ExperimentList } from '../../documents/http/experiment.ts';
import type { Overview } from '../../documents/http/overview.ts';
import type { ProcessorList } from '../../documents/http/processors.ts';
import type { HourlySales } from '../../documents/reports/analytics.ts';
import type { Item, User } from '../../documents/table.ts';
import {
  getExperiments,
  getHours,
  getInventory,
  getOrder,
  getOrders,
  getProcessors,
  getUsers,
  type Answer,
  type AnyOrder,
} from './api.ts';
import { processorsOf } from '../flow/map.ts';
import { moveDeadLetters, moveDecided, moveSources, moveStatuses } from '../flow/moves.ts';
import { followEvents } from './events.ts';
import { isRefused } from './token.ts';

/** How many orders are kept for the list. */
const LISTED = 100;
/** After this long without an event, the numbers are shown as outdated. */
const STALE_MS = 4_000;

export const overview = signal<Overview | null>(null);
/** null: not known yet. */
export const orders = signal<readonly AnyOrder[] | null>(null);
/** The cursor of the next older page; null: there is none. */
export const olderOrders = signal<string | null>(null);
export const items = signal<readonly Item[] | null>(null);
export const users = signal<readonly User[]>([]);
export const hours = signal<HourlySales | null>(null);
export const experiments = signal<ExperimentList | null>(null);
const isCut = signal(false);
/** Milliseconds since the epoch, updated regularly. */
export const now = signal(Date.now());
/** All processors of the shop, refreshed while the details of one are shown or one does not run. */
export const listed = signal<ProcessorList | null>(null);
/** The latest first; null: not known yet. */
export const alerts = signal<readonly Alert[] | null>(null);

/** `lost`: the server accepted it but no longer knows it. */
export type Fate = 'sent' | 'answered' | 'decided' | 'refused' | 'lost';
/** Orders placed by this browser: the page's own ledger. */
export const placed = signal<ReadonlyMap<string, Fate>>(new Map());

export const heardAt = signal(0);
export const isStale = computed(() => isCut.value || now.value - heardAt.value > STALE_MS);
export const processors = computed(() =>
  processorsOf(
    overview.value ?? { consumer: null, parts: null },
    listed.value?.processors ?? [],
    overview.value !== null && !isStale.value,
  ),
);

export function start(): void {
  setInterval(() => (now.value = Date.now()), 200);
  every(15_000, refreshItems);
  every(5_000, refreshUsers);
  every(1_000, async () => {
    if (isOutdated) await refreshOrders();
  });
  every(1_000, async () => {
    const isAsked = listed.value === null || processors.value.some(({ state }) => state === 'gone');
    if (isAsked) await refreshListed();
  });
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

/** Answers of a large shop take long, so at most this share of the time is spent on a periodic request. */
const ASKING_SHARE = 0.2;

/** Calls `refresh` now and every `ms`, never concurrently, and not while the page is hidden. @returns ends it */
export function every(ms: number, refresh: () => Promise<void>): () => void {
  let isOver = false;
  let timer = 0;
  const ask = async (): Promise<void> => {
    const from = performance.now();
    if (!document.hidden && !isRefused.value) await refresh();
    const tookMs = performance.now() - from;
    if (!isOver) timer = setTimeout(() => void ask(), Math.max(ms, tookMs / ASKING_SHARE));
  };
  void ask();
  return () => {
    isOver = true;
    clearTimeout(timer);
  };
}

function valueOf<T>(answer: Answer<T>): T | null {
  return answer.ok ? answer.body : null;
}

function take(type: string, data: string): void {
  if (type === 'gap') {
    isOutdated = true;
    void refreshItems();
  } else if (type === 'experiment') void refreshExperiments();
  else if (type === 'decisions') takeDecisions(JSON.parse(data) as Decisions);
  else if (type === 'statuses') takeStatuses(JSON.parse(data) as Statuses);
  else if (type === 'stock') takeStock(JSON.parse(data) as StockChanges);
  else if (type === 'alerts') {
    alerts.value = [...(JSON.parse(data) as NewAlerts).alerts.toReversed(), ...(alerts.value ?? [])].slice(
      0,
      LISTED,
    );
  } else if (type === 'overview') takeOverview(JSON.parse(data) as Overview);
}

function takeOverview(seen: Overview): void {
  const before = overview.value?.kafka.dead_letters ?? null;
  if (before !== null && seen.kafka.dead_letters !== null) moveDeadLetters(seen.kafka.dead_letters - before);
  moveSources(overview.value?.consumer ?? null, seen.consumer);
  overview.value = seen;
  heardAt.value = Date.now();
}

function takeStatuses(statuses: Statuses): void {
  moveStatuses(statuses);
  const byId = new Map(statuses.orders.map((one) => [one.order_id, one]));
  for (const { order_id: id, status } of statuses.orders)
    if (placed.value.has(id) && isFinal({ status })) notePlaced(id, 'decided');
  const known = orders.value ?? [];
  const moved = known.filter(({ order_id }) => byId.has(order_id));
  // Orders that are not in the list yet have to be fetched.
  if (moved.length < byId.size) isOutdated = true;
  if (moved.length === 0) return;
  orders.value = known.map((one) => {
    const status = byId.get(one.order_id)?.status ?? one.status;
    return status === one.status ? one : ({ ...one, status } as AnyOrder);
  });
}

function takeStock({ items: changed }: StockChanges): void {
  const byItem = new Map(changed.map((one) => [one.item, one]));
  const known = items.value ?? [];
  const isKnown = new Set(known.map(({ item }) => item));
  if (changed.some(({ item, quantity }) => quantity === null || !isKnown.has(item))) void refreshItems();
  items.value = known.map((one) => {
    const quantity = byItem.get(one.item)?.quantity ?? one.quantity;
    if (quantity === one.quantity) return one;
    const { reorder_level: level } = one;
    return { ...one, quantity, low: level !== null && quantity <= level };
  });
}

function takeDecisions(decisions: Decisions): void {
  const { orders: latest } = decisions;
  moveDecided(decisions);
  merge(latest.toReversed());
  for (const { order_id } of latest) if (placed.value.has(order_id)) notePlaced(order_id, 'decided');
}

/** Limits the list, but keeps the orders of this browser. */
function cut(all: readonly AnyOrder[]): readonly AnyOrder[] {
  return all.filter(({ order_id }, at) => at < LISTED || placed.value.has(order_id));
}

/** Merges these into the list, the latest first. */
function merge(latest: readonly AnyOrder[]): void {
  const known = new Set(latest.map(({ order_id }) => order_id));
  const others = (orders.value ?? []).filter(({ order_id }) => !known.has(order_id));
  orders.value = cut([...latest, ...others]);
}

export async function refreshItems(): Promise<void> {
  const answer = await getInventory();
  if (answer.ok) items.value = answer.body.items;
  // The store does not exist yet.
  else if (answer.status === 404) items.value = [];
}

async function refreshUsers(): Promise<void> {
  users.value = valueOf(await getUsers())?.users ?? users.value;
}

export async function refreshExperiments(): Promise<void> {
  experiments.value = valueOf(await getExperiments()) ?? experiments.value;
}

/** Whether orders in the list are missing or outdated. */
let isOutdated = true;

export async function refreshListed(): Promise<void> {
  listed.value = valueOf(await getProcessors()) ?? listed.value;
}

async function refreshOrders(): Promise<void> {
  isOutdated = false;
  const answer = await getOrders(LISTED, null);
  const page = valueOf(answer);
  if (page === null) {
    isOutdated = true;
    if (answer.status === 404) orders.value = [];
    return;
  }
  // The page may lack orders decided meanwhile and orders of this browser.
  const found = new Set(page.orders.map(({ order_id }) => order_id));
  const own = (orders.value ?? []).filter(
    (one) => !found.has(one.order_id) && placed.value.has(one.order_id),
  );
  const all = [...own, ...page.orders];
  orders.value = cut(all.sort((a, b) => timeOf(b) - timeOf(a)));
  olderOrders.value = page.next;
}

/** The time by which lists are sorted, in milliseconds since the epoch: of the decision, or else of creation. */
export function timeOf({ decided_at, created_at }: AnyOrder): number {
  return Date.parse(decided_at ?? created_at ?? '') || Infinity;
}

/** @returns the current state of the order */
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

/** The page's own audit: an order that the server accepted must stay known and become final. */
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
