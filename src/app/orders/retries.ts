import type { Decided } from '../../domain/orders/decided.ts';
import { sameContent } from '../../domain/orders/order.ts';
import { retryId, triedId } from '../../domain/orders/retry-id.ts';
import type { StoreReader } from '../../ports/store.ts';

/** An order, and its tries under ids derived from its own. */
export interface Tries {
  /** The id that the others are derived from. */
  readonly root: string;
  /** The tries that have a decision, in sequence. */
  readonly decided: readonly Decided[];
  /**
   * The id of the next try: the same until it is decided, so that sending it again makes a duplicate. It may be too
   * long for an id.
   */
  readonly next: string;
}

/** Looks up the decision on an order id. */
type Look = Pick<StoreReader, 'decided'>;

/**
 * The tries of an order, or of the order that this one is a try of. An id that only looks like a try, because a sender
 * chose it for an order with other content, is not one, and its number is skipped.
 */
export async function triesOf(reader: Look, order: Decided['order']): Promise<Tries> {
  const root = await rootOf(reader, order);
  const decided: Decided[] = [];
  for (let number = 1; ; number += 1) {
    const next = retryId(root, number);
    const found = await reader.decided(next);
    if (found === undefined) return { root, decided, next };
    if (sameContent(found.order, order)) decided.push(found);
  }
}

async function rootOf(reader: Look, order: Decided['order']): Promise<string> {
  let root = order.orderId;
  for (;;) {
    const tried = triedId(root);
    const found = tried === null ? undefined : await reader.decided(tried);
    if (tried === null || found === undefined || !sameContent(found.order, order)) return root;
    root = tried;
  }
}
