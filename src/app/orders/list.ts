import type { Decided } from '../../domain/orders/decided.ts';
import type { StoreAccess } from '../../ports/access.ts';
import type { StoreView } from '../../ports/store.ts';
import { upTo, type Moment, type Reached } from '../history/moment.ts';
import { decisionsOf, inDecisionOrder, inDecisionOrderFromEnd } from './decision-order.ts';
import { matchesDecision, type DecisionFilter } from './filter.ts';

export interface ListOrdersOptions {
  readonly filter: DecisionFilter;
  /** Only this many of the latest that match; Infinity: all of them. */
  readonly last: number;
  /** The latest first. */
  readonly isReversed?: boolean;
  /** How many decisions before the `last` to examine, to report how many more match. */
  readonly countUpTo?: number;
  /** As it was then; excludes `follow`. In reverse `last` is finite. */
  readonly at?: Moment | null;
  /** Filled in for `at`. */
  readonly reached?: Reached;
  /** Continues with later decisions until it aborts. */
  readonly follow?: AbortSignal | null;
  /** Called again when it has resolved: the listener sets the pace. */
  readonly onOrders: (orders: readonly Decided[]) => Promise<void>;
}

/** Earlier decisions that match and were not listed. */
export interface EarlierOrders {
  readonly count: number;
  /** There may be more: not all decisions were examined. */
  readonly isAtLeast: boolean;
}

/** The clock may have been ahead earlier, but hardly by more than this. */
const CLOCK_SLACK_MS = 24 * 3_600_000;

/**
 * Hands out decided orders, those of both outcomes by time. Decisions before the latest ones are not read, so a limit
 * makes it fast however long the logs are. Works beside a running consumer.
 */
export async function listOrders(
  access: Pick<StoreAccess, 'read'>,
  options: ListOrdersOptions,
): Promise<EarlierOrders> {
  const reader = await access.read();
  const later = options.follow == null ? null : reader.follow([], options.follow);
  let earlier: EarlierOrders;
  try {
    earlier = await (options.at == null ? listPast(reader, options) : listUpTo(reader, options.at, options));
  } finally {
    // Later decisions need none of the files that it keeps open.
    await reader[Symbol.asyncDispose]();
  }
  if (later !== null) await handOut(decisionsOf(later), options);
  return earlier;
}

async function listPast(reader: StoreView, options: ListOrdersOptions): Promise<EarlierOrders> {
  const { filter, last, isReversed = false, countUpTo = 0, onOrders } = options;
  if (last === Infinity && !isReversed) {
    await handOut(fromBeginning(reader, filter), options);
    return { count: 0, isAtLeast: false };
  }
  let left = last;
  let toLookAt = countUpTo;
  let count = 0;
  let isAtLeast = false;
  const kept: Decided[] = [];
  for await (const chunk of fromEnd(reader, filter)) {
    const matching = chunk.filter((decided) => matchesDecision(decided, filter));
    const wanted = matching.slice(0, left);
    left -= wanted.length;
    count += matching.length - wanted.length;
    if (!isReversed) kept.push(...wanted);
    else if (wanted.length > 0) await onOrders(wanted);
    if (left > 0) continue;
    isAtLeast = toLookAt <= 0;
    if (isAtLeast) break;
    toLookAt -= chunk.length;
  }
  if (kept.length > 0) await onOrders(kept.reverse());
  return { count, isAtLeast };
}

/** History is read from its beginning: where a moment is in it is not known before. */
async function listUpTo(reader: StoreView, at: Moment, options: ListOrdersOptions): Promise<EarlierOrders> {
  const { filter, last, isReversed = false, reached, onOrders } = options;
  const decisions = decisionsOf(upTo(reader.history([]), at, reached));
  if (last === Infinity && !isReversed) {
    await handOut(decisions, options);
    return { count: 0, isAtLeast: false };
  }
  let kept: Decided[] = [];
  let count = 0;
  for await (const chunk of decisions) {
    kept.push(...chunk.filter((decided) => matchesDecision(decided, filter)));
    count += Math.max(0, kept.length - last);
    kept = kept.slice(-last);
  }
  if (kept.length > 0) await onOrders(isReversed ? kept.reverse() : kept);
  return { count, isAtLeast: false };
}

/** From the last decision back to where none can match any more. */
async function* fromEnd(reader: StoreView, filter: DecisionFilter): AsyncGenerator<readonly Decided[]> {
  const { status, sinceMs } = filter;
  const all = status === null ? inDecisionOrderFromEnd(reader) : reader.decisionsFromEnd(status);
  for await (const chunk of all) {
    yield chunk;
    if (sinceMs !== null && chunk.every(({ decidedAt }) => decidedAt < sinceMs - CLOCK_SLACK_MS)) return;
  }
}

function fromBeginning(reader: StoreView, { status }: DecisionFilter): AsyncIterable<readonly Decided[]> {
  return status === null ? inDecisionOrder(reader) : reader.decisions(status);
}

async function handOut(
  chunks: AsyncIterable<readonly Decided[]>,
  { filter, onOrders }: Pick<ListOrdersOptions, 'filter' | 'onOrders'>,
): Promise<void> {
  for await (const chunk of chunks) {
    const matching = chunk.filter((decided) => matchesDecision(decided, filter));
    if (matching.length > 0) await onOrders(matching);
  }
}
