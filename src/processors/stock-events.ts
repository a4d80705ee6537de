import { outgoing, type OutgoingMessage } from '../domain/messages/outgoing.ts';
import { ALERT, type Alert } from '../domain/messages/shop/alert.ts';
import { INVENTORY_EVENT, type InventoryEvent } from '../domain/messages/shop/inventory-event.ts';
import type { Edit } from '../domain/edit.ts';
import type { SmallChange, SmallTable } from '../domain/facts.ts';
import type { Movement } from '../domain/movement.ts';
import type { Decided } from '../domain/orders/decided.ts';
import { totalsByItem, type Order } from '../domain/orders/order.ts';
import type { State, StateChanges } from '../domain/state.ts';
import type { Item } from '../domain/tables.ts';

/** When stock needs attention. */
export interface StockRules {
  /** At or under which stock is low, for items without a reorder level of their own. */
  readonly lowStock: number;
}

/** What is remembered of an item beside its row. It stays when the item is removed, lest a revision come twice. */
interface Revised {
  /** Of its last event or alert. */
  readonly revision: number;
  /** An order was refused for want of it, and its stock has not risen since. */
  readonly wanted: boolean;
}

/** By item. Advanced by what sends events, so that a shop without events pays nothing. */
const REVISIONS: SmallTable<Revised> = { name: 'item_revisions' };

type ItemState = Pick<State, 'at' | 'storeId' | 'item' | 'small'>;
type Cause = InventoryEvent['cause'];

/** An item while changes of it are folded. */
interface Folded extends Revised {
  readonly onHand: number;
  /** At or under which it is low. */
  readonly level: number;
}

/** What changes of stock make known. */
export interface Announced extends Pick<StateChanges, 'small' | 'outgoing'> {
  readonly small: readonly SmallChange[];
  readonly outgoing: readonly OutgoingMessage[];
}

/**
 * Folds changes of stock, in order, into an event for each and the alerts that they lead to. It begins at `state`, so
 * that every change since then is to be given. A change that is decided again on the same state has the same ids.
 */
export class StockEvents {
  readonly #rules: StockRules;
  readonly #state: ItemState;
  readonly #items = new Map<string, Folded>();
  readonly #changed = new Set<string>();
  readonly #outgoing: OutgoingMessage[] = [];

  constructor(rules: StockRules, state: ItemState) {
    this.#rules = rules;
    this.#state = state;
  }

  /** What the decision on an order did: each item that it sells changes once. */
  decided({ order, outcome }: Decided): void {
    if (outcome.kind === 'accepted') {
      for (const [item, quantity] of quantitiesOf(order)) {
        this.#change(item, -quantity, 'sale', order.orderId);
      }
    } else if (outcome.reason === 'insufficient_stock') {
      for (const [item, quantity] of totalsByItem(order.items)) {
        if (quantity <= this.#at(item).onHand) continue;
        this.lacking(item, quantity, order.orderId);
        break;
      }
    }
  }

  /** @returns the item's revision after it */
  moved({ item, delta, cause, orderId }: Movement): number {
    this.#change(item, delta, cause, orderId);
    return this.#at(item).revision;
  }

  /** An order was refused for want of this item, of which it wanted `quantity`. */
  lacking(item: string, quantity: number, orderId: string): void {
    const folded = this.#at(item);
    if (folded.wanted) return;
    this.#set(item, { ...folded, wanted: true });
    const what = `Order ${orderId} was refused: it wants ${quantity} of Product ${item}`;
    this.#alert('insufficient_stock', item, orderId, `${what}, and ${left(folded.onHand)}`);
  }

  /** An edit that may have changed stock or the level at which it is low. */
  edited({ item, before, after }: Extract<Edit, { kind: 'item' }>): void {
    const from = this.#folded(item, before);
    const to = { ...from, onHand: after?.quantity ?? 0, level: this.#levelOf(after) };
    this.#items.set(item, from);
    if (to.onHand !== from.onHand) this.#event(item, to, 'edit', null);
    else this.#items.set(item, { ...to, revision: from.revision });
    // A row that comes or goes has crossed nothing.
    if (before !== null && after !== null) this.#crossed(item, from, null, to.onHand === from.onHand);
  }

  announced(): Announced {
    const small = [...this.#changed].map((key): SmallChange<Revised> => {
      const { revision, wanted } = this.#at(key);
      return { table: REVISIONS, key, value: { revision, wanted } };
    });
    return { small, outgoing: this.#outgoing };
  }

  #change(item: string, delta: number, cause: Cause, orderId: string | null): void {
    const before = this.#at(item);
    this.#event(item, { ...before, onHand: before.onHand + delta }, cause, orderId);
    this.#crossed(item, before, orderId, false);
  }

  #event(item: string, to: Folded, cause: Cause, orderId: string | null): void {
    const delta = to.onHand - this.#at(item).onHand;
    const revision = to.revision + 1;
    this.#set(item, { ...to, revision, wanted: to.wanted && delta < 0 });
    const { at, storeId: store } = this.#state;
    const from = { store, of: [item, revision], at, traceparent: null };
    const fields = { item, revision, delta, on_hand: to.onHand, cause, order_id: orderId, at };
    this.#outgoing.push(
      outgoing(INVENTORY_EVENT, (event_id): InventoryEvent => ({ event_id, ...fields }), from),
    );
  }

  /** Alerts for what the item has come to since it was `before`. @param renumber no event has a revision for it */
  #crossed(item: string, before: Folded, orderId: string | null, renumber: boolean): void {
    const now = this.#at(item);
    const { onHand, level } = now;
    const isLow = before.onHand > before.level && onHand <= level;
    if (isLow && renumber) this.#set(item, { ...now, revision: now.revision + 1 });
    if (isLow)
      this.#alert('low_stock', item, orderId, `Low stock alert for Product ${item}: ${left(onHand)}!`);
    if (before.onHand > 0 && onHand === 0) {
      this.#alert('out_of_stock', item, orderId, `Product ${item} is out of stock!`);
    }
    if (before.onHand >= 0 && onHand < 0) {
      const owed = `${items(-onHand)} sold that ${onHand === -1 ? 'was' : 'were'} not on hand`;
      this.#alert('oversold', item, orderId, `Product ${item} is oversold: ${owed}!`);
    }
  }

  #alert(kind: Alert['kind'], item: string, orderId: string | null, message: string): void {
    const { revision, onHand, level } = this.#at(item);
    const { at, storeId: store } = this.#state;
    const from = { store, of: [item, revision, kind], at, traceparent: null };
    const about = { kind, item, revision, on_hand: onHand, reorder_level: level, order_id: orderId };
    this.#outgoing.push(outgoing(ALERT, (event_id): Alert => ({ event_id, ...about, message, at }), from));
  }

  #at(item: string): Folded {
    let folded = this.#items.get(item);
    if (folded === undefined) {
      folded = this.#folded(item, this.#state.item(item) ?? null);
      this.#items.set(item, folded);
    }
    return folded;
  }

  #folded(item: string, row: Item | null): Folded {
    const known = this.#items.get(item) ?? this.#state.small(REVISIONS, item);
    return {
      revision: known?.revision ?? 0,
      wanted: known?.wanted ?? false,
      onHand: row?.quantity ?? 0,
      level: this.#levelOf(row),
    };
  }

  #levelOf(row: Item | null): number {
    return row?.reorderLevel ?? this.#rules.lowStock;
  }

  #set(item: string, folded: Folded): void {
    this.#items.set(item, folded);
    this.#changed.add(item);
  }
}

/** What edits make known: for a store's `onEdits`. @param state before the edits */
export function announceEdits(rules: StockRules, edits: readonly Edit[], state: ItemState): Announced {
  const events = new StockEvents(rules, state);
  for (const edit of edits) if (edit.kind === 'item') events.edited(edit);
  return events.announced();
}

/** One line is by far the commonest order, and needs no totals. */
function quantitiesOf({ items: lines }: Order): Iterable<readonly [item: string, quantity: number]> {
  const [only, second] = lines;
  if (only === undefined || second !== undefined) return totalsByItem(lines);
  return [[only.item, only.quantity]];
}

function left(onHand: number): string {
  return `only ${items(Math.max(0, onHand))} left`;
}

function items(count: number): string {
  return `${count} ${count === 1 ? 'item' : 'items'}`;
}
