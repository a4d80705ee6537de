import { CHECKOUT } from '../../domain/checkout/facts.ts';
import type { StoreAccess } from '../../ports/access.ts';
import type { StoreView } from '../../ports/store.ts';
import type { Moment, Reached } from '../history/moment.ts';
import { isListed, type ListFilter } from './filter.ts';
import { laterOrders } from './later-orders.ts';
import { ordersFromBeginning, ordersFromEnd, ordersUpTo } from './list-sources.ts';
import { decidedMs, type ListedOrder } from './listed-order.ts';

export interface ListOrdersOptions {
  readonly filter: ListFilter;
  /** List only the latest matching orders, up to this many; Infinity: all. */
  readonly last: number;
  /** List the latest orders first. */
  readonly isReversed?: boolean;
  /** How many decisions before the listed ones to check, to report how many more match. */
  readonly countUpTo?: number;
  /** List the state at that moment; not with `follow`. With `isReversed`, `last` must be finite. */
  readonly at?: Moment | null;
  /** With `at`: receives how far history reached. */
  readonly reached?: Reached;
  /** Continues with later decisions, and changes of status, until the signal aborts. */
  readonly follow?: AbortSignal | null;
  /** Called again only when its promise has resolved: the listener sets the pace. */
  readonly onOrders: (orders: readonly ListedOrder[]) => Promise<void>;
}

/** Earlier matching decisions that were not listed. */
export interface EarlierOrders {
  readonly count: number;
  /** There may be more: not all decisions were checked. */
  readonly isAtLeast: boolean;
}

/** The clock may have been ahead earlier, but hardly by more than this. */
export const CLOCK_SLACK_MS = 24 * 3_600_000;

/**
 * Lists orders of both flows by the time of their decision; for the checkout, when they were validated or rejected.
 * Reads no further back than needed, so with a limit it is fast however long the logs are. May run while a consumer
 * does.
 */
export async function listOrders(
  access: Pick<StoreAccess, 'read'>,
  options: ListOrdersOptions,
): Promise<EarlierOrders> {
  const reader = await access.read();
  const later = options.follow == null ? null : reader.follow([CHECKOUT], options.follow);
  let earlier: EarlierOrders;
  try {
    earlier = await (options.at == null ? listPast(reader, options) : listUpTo(reader, options.at, options));
  } finally {
    // Following later decisions does not need the files that the reader keeps open.
    await reader[Symbol.asyncDispose]();
  }
  if (later !== null) await handOut(laterOrders(access, later), options);
  return earlier;
}

async function listPast(reader: StoreView, options: ListOrdersOptions): Promise<EarlierOrders> {
  const { filter, last, isReversed = false, countUpTo = 0, onOrders } = options;
  if (last === Infinity && !isReversed) {
    await handOut(ordersFromBeginning(reader, filter), options);
    return NONE;
  }
  let left = last;
  let toCheck = countUpTo;
  let count = 0;
  let isAtLeast = false;
  const kept: ListedOrder[] = [];
  for await (const chunk of fromEnd(reader, filter)) {
    const matching = chunk.filter((order) => isListed(order, filter));
    const wanted = matching.slice(0, left);
    left -= wanted.length;
    count += matching.length - wanted.length;
    if (!isReversed) kept.push(...wanted);
    else if (wanted.length > 0) await onOrders(wanted);
    if (left > 0) continue;
    isAtLeast = toCheck <= 0;
    if (isAtLeast) break;
    toCheck -= chunk.length;
  }
  if (kept.length > 0) await onOrders(kept.reverse());
  return { count, isAtLeast };
}

const NONE: EarlierOrders = { count: 0, isAtLeast: false };

async function listUpTo(reader: StoreView, at: Moment, options: ListOrdersOptions): Promise<EarlierOrders> {
  const { filter, last, isReversed = false, reached, onOrders } = options;
  const orders = ordersUpTo(reader, at, reached);
  if (last === Infinity && !isReversed) {
    await handOut(orders, options);
    return NONE;
  }
  let kept: ListedOrder[] = [];
  let count = 0;
  for await (const chunk of orders) {
    kept.push(...chunk.filter((order) => isListed(order, filter)));
    count += Math.max(0, kept.length - last);
    kept = kept.slice(-last);
  }
  if (kept.length > 0) await onOrders(isReversed ? kept.reverse() : kept);
  return { count, isAtLeast: false };
}

/** From the last decision back to where none can match any more. */
async function* fromEnd(reader: StoreView, filter: ListFilter): AsyncGenerator<readonly ListedOrder[]> {
  const { sinceMs } = filter;
  for await (const chunk of ordersFromEnd(reader, filter)) {
    yield chunk;
    if (
      sinceMs !== null &&
      chunk.length > 0 &&
      chunk.every((order) => decidedMs(order) < sinceMs - CLOCK_SLACK_MS)
    )
      return;
  }
}

async function handOut(
  chunks: AsyncIterable<readonly ListedOrder[]>,
  { filter, onOrders }: Pick<ListOrdersOptions, 'filter' | 'onOrders'>,
): Promise<void> {
  for await (const chunk of chunks) {
    const matching = chunk.filter((order) => isListed(order, filter));
    if (matching.length > 0) await onOrders(matching);
  }
}
