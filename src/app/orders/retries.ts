import type { Decided } from '../../domain/orders/decided.ts';
import { sameContent } from '../../domain/orders/order.ts';
import { retryId, triedId } from '../../domain/orders/retry-id.ts';
import type { StoreReader } from '../../ports/store.ts';

/** An order, and the tries of it under ids that follow from its own. */
export interface Tries {
  /** The id that the others follow from. */
  readonly root: string;
  /** The decided ones, in their order. */
  readonly decided: readonly Decided[];
  /**
   * The id of the next try: the same until it is decided, so that sending it again makes a duplicate. May be too long
   * for a name.
   */
  readonly next: string;
}

/** What decided an order id, or undefined. */
type Look = Pick<StoreReader, 'decided'>;

/**
 * The tries of an order, or of the order that this one is a try of. An id that only looks like a try, because a
 * sender chose it for an order of other content, is none, and its number is skipped.
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
