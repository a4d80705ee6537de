import type { Decided } from '../../domain/orders/decided.ts';
import { Failure } from '../../domain/failure.ts';
import { isName } from '../../domain/names.ts';
import { fitsTheEvent, type Order } from '../../domain/orders/order.ts';
import type { Clock } from '../../ports/clock.ts';
import type { StoreReader } from '../../ports/store.ts';
import { matchesOrder, type OrderFilter } from '../orders/filter.ts';
import { triesOf } from '../orders/retries.ts';
import { refusedForGood } from '../../processors/orders/decide.ts';

export interface ReplayFilter extends OrderFilter {
  readonly orderId: string | null;
  /** The maximum number of orders to send. */
  readonly limit: number | null;
  /** Skips everything up to and including this order: the point at which an interrupted replay continues. */
  readonly resumeAfter: string | null;
  /** Select rejected orders instead of accepted ones; only with `asNew`, because a decision is final. */
  readonly rejected: boolean;
  /** Send under new ids derived from the old ones, so that the orders are decided again. */
  readonly asNew: boolean;
  /** With `asNew`: also send orders whose last try was accepted. */
  readonly again: boolean;
}

/** A selected order, and what happens to it. */
export type Selected =
  | {
      readonly kind: 'order';
      /** The id in the log. */
      readonly logged: string;
      /** The order to send: the same one, or a copy under the id of the next try. */
      readonly order: Order;
      /** The trace of its decision; left out: unknown. */
      readonly traceparent?: string;
      /** The number of orders to send, up to and including this one. */
      readonly taken: number;
    }
  | { readonly kind: 'fulfilled'; readonly logged: string; readonly by: string }
  | { readonly kind: 'unfit'; readonly logged: string; readonly why: string };

/**
 * The selected orders, in the order of their log. An order and its tries count as one, represented by the first one
 * found.
 *
 * @throws Failure not_found, already_decided
 */
export async function selectOrders(
  reader: StoreReader,
  filter: ReplayFilter,
  clock: Clock,
): Promise<AsyncGenerator<Selected>> {
  return select(await decidedOrders(reader, filter), reader, filter, clock);
}

async function* select(
  decisions: AsyncIterable<readonly Decided[]>,
  reader: StoreReader,
  filter: ReplayFilter,
  clock: Clock,
): AsyncGenerator<Selected> {
  let resumed = filter.resumeAfter === null;
  let taken = 0;
  /** The first ids of orders with earlier tries; other ids occur only once. */
  const met = new Set<string>();
  for await (const chunk of decisions) {
    for (const decided of chunk) {
      const { order, traceparent } = decided;
      const hasResumed = resumed;
      resumed ||= order.orderId === filter.resumeAfter;
      if (!matchesOrder(decided, filter)) continue;
      const tries = filter.asNew ? await triesOf(reader, order) : null;
      if (tries !== null && tries.decided.length > 0) {
        if (met.has(tries.root)) continue;
        met.add(tries.root);
      }
      if (!hasResumed) continue;
      if (filter.limit !== null && taken >= filter.limit) return;
      const logged = order.orderId;
      const last = tries?.decided.at(-1);
      if (last?.outcome.kind === 'accepted' && !filter.again) {
        yield { kind: 'fulfilled', logged, by: last.order.orderId };
        continue;
      }
      const why = unfitness(order, tries?.next ?? logged);
      if (why !== null) yield { kind: 'unfit', logged, why };
      else {
        const sending = tries === null ? order : { ...order, orderId: tries.next, createdAt: clock.now() };
        taken += 1;
        const trace = traceparent === undefined ? {} : { traceparent };
        yield { kind: 'order', logged, order: sending, taken, ...trace };
      }
    }
  }
  if (!resumed) {
    throw new Failure('not_found', `order ${filter.resumeAfter ?? ''} is not in the log`, {
      fix: { kind: 'resume_after_id' },
    });
  }
}

/** The fix for orders that can never be accepted. */
const ANOTHER_ORDER = 'ask its sender to send a different order';

function unfitness({ items }: Order, orderId: string): string | null {
  if (!items.every(({ quantity }) => fitsTheEvent(quantity))) return 'a quantity is not a whole number';
  if (isName(orderId)) return null;
  return `the id of its next try is too long: ${orderId}; send it under a shorter id`;
}

/**
 * The candidates: the whole log, or the one selected order, found by the index.
 *
 * @throws Failure not_found, already_decided
 */
async function decidedOrders(
  reader: StoreReader,
  filter: ReplayFilter,
): Promise<AsyncIterable<readonly Decided[]>> {
  const { orderId } = filter;
  if (orderId === null) return reader.decisions(filter.rejected ? 'rejected' : 'accepted');
  const context = { orderId };
  const decided = await reader.decided(orderId);
  if (decided === undefined) {
    throw new Failure('not_found', `order ${orderId} has no decision in this store`, {
      fix: { kind: 'list_orders' },
      context,
    });
  }
  const { outcome, order, archivedIn } = decided;
  if (archivedIn !== undefined) {
    throw new Failure('not_found', `order ${orderId} is archived: its prices are only in ${archivedIn}`, {
      fix: { kind: 'name_archives' },
      context,
    });
  }
  if (outcome.kind === 'accepted' && filter.rejected) {
    throw new Failure('already_decided', `order ${orderId} was accepted, not rejected`, {
      fix: { kind: 'not_rejected' },
      context,
    });
  }
  const last = (await triesOf(reader, order)).decided.at(-1);
  const fulfilledBy = last?.outcome.kind === 'accepted' ? last.order.orderId : null;
  const again = { kind: 'order_again', orderId, rejected: outcome.kind === 'rejected' } as const;
  if (filter.asNew && fulfilledBy !== null && !filter.again) {
    throw new Failure('already_decided', `order ${orderId} was tried again and accepted as ${fulfilledBy}`, {
      fix: { ...again, by: null },
      context,
    });
  }
  if (outcome.kind === 'rejected' && !filter.rejected) {
    throw new Failure(
      'already_decided',
      `order ${orderId} was rejected: ${outcome.detail}; a decision is final`,
      {
        fix:
          fulfilledBy !== null
            ? { ...again, by: fulfilledBy }
            : refusedForGood(order) === null
              ? { kind: 'try_again', orderId }
              : ANOTHER_ORDER,
        context,
      },
    );
  }
  return only(decided);
}

async function* only(decided: Decided): AsyncGenerator<readonly Decided[]> {
  yield [decided];
}
