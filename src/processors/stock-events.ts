import { outgoing, type OutgoingMessage } from '../domain/messages/outgoing.ts';
import { ALERT, type Alert } from '../domain/messages/shop/alert.ts';
import { INVENTORY_EVENT, type InventoryEvent } from '../domain/messages/shop/inventory-event.ts';
import type { Edit } from '../domain/edit.ts';
import type { SmallChange, SmallTable } from '../domain/facts.ts';
import type { Movement } from '../domain/movement.ts';
import { idSource, leastRevision } from '../domain/messages/restored.ts';
import type { Decided } from '../domain/orders/decided.ts';
import { totalsByItem } from '../domain/orders/order.ts';
import type { State, StateChanges } from '../domain/state.ts';
import { reorderLevelOf, type Item } from '../domain/tables.ts';

/** The rules for stock alerts. */
export interface StockRules {
  /** Stock at or below this level is low, for items without a reorder level. */
  readonly lowStock: number;
}

/**
 * Data of an item in addition to its row, stored from its first event or alert on. It is kept when the item is removed,
 * so that no revision is used twice.
 */
interface Revised {
  /** The revision of its last event or alert. */
  readonly revision: number;
  /** An order was rejected because its stock was insufficient, and its stock has not risen since. */
  readonly wanted: boolean;
  /** The stock last announced. It differs from the row if stock was changed while no events were sent. */
  readonly on_hand?: number;
}

/** Revisions by item. Written only if events are sent, so that a shop without events has no cost. */
export const REVISIONS: SmallTable<Revised> = { name: 'item_revisions' };

type ItemState = Pick<State, 'at' | 'storeId' | 'item' | 'small'>;
type Cause = InventoryEvent['cause'];

/** The running state of an item. It is mutable, since it is updated for every line of every order. */
interface Folded {
  revision: number;
  wanted: boolean;
  onHand: number;
  /** Stock at or below this level is low. */
  level: number;
  /** Whether its row in REVISIONS must be written. */
  isChanged: boolean;
}

/** Events and alerts for changes of stock, and the revisions they use. */
export interface Announced extends Pick<StateChanges, 'small' | 'outgoing'> {
  readonly small: readonly SmallChange[];
  readonly outgoing: readonly OutgoingMessage[];
}

/**
 * Turns changes of stock, in order, into one event each, and alerts. It starts from `state`, so it must receive every
 * change since then. Processing a change again on the same state gives the same ids.
 */
export class StockEvents {
  readonly #rules: StockRules;
  readonly #state: ItemState;
  readonly #source: string;
  readonly #leastRevision: number;
  readonly #items = new Map<string, Folded>();
  readonly #outgoing: OutgoingMessage[] = [];
  #traceparent: string | null = null;

  constructor(rules: StockRules, state: ItemState) {
    this.#rules = rules;
    this.#state = state;
    this.#source = idSource(state);
    this.#leastRevision = leastRevision(state);
  }

  /** Sets the trace of the message that causes the following changes; null: none. */
  causedBy(traceparent: string | null): void {
    this.#traceparent = traceparent;
  }

  /** Records a decision. Each item of an accepted order changes once. */
  decided({ order, outcome }: Decided): void {
    if (outcome.kind === 'accepted') {
      const [only, second] = order.items;
      // Most orders have one line, which needs no totals.
      if (only !== undefined && second === undefined) {
        this.#change(only.item, -only.quantity, 'sale', order.orderId);
        return;
      }
      for (const [item, quantity] of totalsByItem(order.items)) {
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

  /** Records a movement. @returns the item's revision after it */
  moved({ item, delta, cause, orderId }: Movement): number {
    return this.#change(item, delta, cause, orderId).revision;
  }

  /** The revision of the last change of an item. */
  revisionOf(item: string): number {
    return this.#at(item).revision;
  }

  /**
   * Records an order rejected for lack of stock.
   *
   * @param quantity the ordered quantity
   * @param by the order, for the message
   */
  lacking(item: string, quantity: number, orderId: string | null, by = `Order ${orderId}`): void {
    const folded = this.#at(item);
    if (folded.wanted) return;
    folded.wanted = true;
    folded.isChanged = true;
    const what = `${by} was refused: it wants ${quantity} of Product ${item}`;
    this.#alert('insufficient_stock', item, folded, orderId, `${what}, with ${left(folded.onHand)}`);
  }

  /** Records an edit, which may have changed stock or the reorder level. */
  edited({ item, before, after }: Extract<Edit, { kind: 'item' }>): void {
    const folded = this.#folded(item, before);
    this.#items.set(item, folded);
    const { onHand, level } = folded;
    const delta = (after?.quantity ?? 0) - onHand;
    folded.level = this.#levelOf(after);
    if (delta !== 0) this.#event(item, folded, delta, 'edit', null);
    // Adding or removing an item crosses no threshold.
    if (before === null || after === null) return;
    if (delta === 0 && isLowNow(onHand, level, folded)) {
      // Without an event, the alert needs a new revision.
      folded.revision += 1;
      folded.isChanged = true;
    }
    this.#crossed(item, folded, onHand, level, null);
  }

  /** Announces a change that was made while no events were sent. */
  missed(item: string): void {
    this.#at(item);
  }

  announced(): Announced {
    const small: SmallChange<Revised>[] = [];
    for (const [key, { isChanged, revision, wanted, onHand: on_hand }] of this.#items) {
      if (isChanged) small.push({ table: REVISIONS, key, value: { revision, wanted, on_hand } });
    }
    return { small, outgoing: this.#outgoing };
  }

  /**
   * Only the revisions, for a run that sends no events. The stock last announced is kept for the next run that does.
   */
  counted(): readonly SmallChange[] {
    const small: SmallChange<Revised>[] = [];
    for (const [key, { isChanged, revision }] of this.#items) {
      const known = this.#state.small(REVISIONS, key) ?? { wanted: false };
      if (isChanged) small.push({ table: REVISIONS, key, value: { ...known, revision } });
    }
    return small;
  }

  #change(item: string, delta: number, cause: Cause, orderId: string | null): Folded {
    const folded = this.#at(item);
    const { onHand, level } = folded;
    this.#event(item, folded, delta, cause, orderId);
    this.#crossed(item, folded, onHand, level, orderId);
    return folded;
  }

  #event(item: string, folded: Folded, delta: number, cause: Cause, orderId: string | null): void {
    folded.onHand += delta;
    folded.revision += 1;
    folded.wanted &&= delta < 0;
    folded.isChanged = true;
    const { revision, onHand: on_hand } = folded;
    const { at } = this.#state;
    this.#outgoing.push(
      outgoing(
        INVENTORY_EVENT,
        (event_id) => ({ event_id, item, revision, delta, on_hand, cause, order_id: orderId, at }),
        { store: this.#source, of: [item, revision], at, traceparent: this.#traceparent },
      ),
    );
  }

  /** Sends alerts for the thresholds that the item has crossed since it had `onHand` and `level`. */
  #crossed(item: string, now: Folded, onHand: number, level: number, orderId: string | null): void {
    const count = now.onHand;
    if (isLowNow(onHand, level, now)) {
      this.#alert('low_stock', item, now, orderId, `Low stock alert for Product ${item}: ${left(count)}!`);
    }
    if (onHand > 0 && count === 0) {
      this.#alert('out_of_stock', item, now, orderId, `Product ${item} is out of stock!`);
    }
    if (onHand >= 0 && count < 0) {
      const owed = `${items(-count)} sold that ${count === -1 ? 'was' : 'were'} not on hand`;
      this.#alert('oversold', item, now, orderId, `Product ${item} is oversold: ${owed}!`);
    }
  }

  #alert(kind: Alert['kind'], item: string, now: Folded, orderId: string | null, message: string): void {
    const { revision, onHand: on_hand, level: reorder_level } = now;
    const { at } = this.#state;
    const about = { kind, item, revision, on_hand, reorder_level, order_id: orderId };
    const from = { store: this.#source, of: [item, revision, kind], at, traceparent: this.#traceparent };
    this.#outgoing.push(outgoing(ALERT, (event_id) => ({ event_id, ...about, message, at }), from));
  }

  #at(item: string): Folded {
    let folded = this.#items.get(item);
    if (folded === undefined) {
      folded = this.#folded(item, this.#state.item(item) ?? null);
      this.#items.set(item, folded);
    }
    return folded;
  }

  /** The state of an item from its row. On first use, a difference from the stock last announced is announced first. */
  #folded(item: string, row: Item | null): Folded {
    const onHand = row?.quantity ?? 0;
    const level = this.#levelOf(row);
    const here = this.#items.get(item);
    if (here !== undefined) return { ...here, onHand, level };
    const known = this.#state.small(REVISIONS, item);
    const { wanted = false, on_hand: announced = onHand } = known ?? {};
    const revision = Math.max(known?.revision ?? 0, this.#leastRevision);
    const folded: Folded = { revision, wanted, onHand: announced, level, isChanged: false };
    if (announced === onHand) return folded;
    this.#event(item, folded, onHand - announced, 'edit', null);
    if (row !== null) this.#crossed(item, folded, announced, level, null);
    return folded;
  }

  #levelOf(row: Item | null): number {
    return reorderLevelOf(row ?? { reorderLevel: null }, this.#rules.lowStock);
  }
}

/** Whether stock was above its level before, and is at or below it now. */
function isLowNow(onHand: number, level: number, now: Folded): boolean {
  return onHand > level && now.onHand <= now.level;
}

/** The events of edits, for a store's `onEdits`. @param state the state before the edits */
export function announceEdits(rules: StockRules, edits: readonly Edit[], state: ItemState): Announced {
  const events = new StockEvents(rules, state);
  for (const edit of edits) if (edit.kind === 'item') events.edited(edit);
  return events.announced();
}

/**
 * Items that changed while no events were sent, among those that had events before. Consumers do not know the stock of
 * any other item, whose first event will contain it. Announcing all items at a first start would report changes that
 * never happened.
 *
 * @param revised the rows of REVISIONS
 * @returns their names
 */
export function missedItems(
  revised: ReadonlyMap<string, Revised>,
  items: Iterable<Pick<Item, 'item' | 'quantity'>>,
): readonly string[] {
  const missed = new Set<string>();
  for (const [item, { on_hand = 0 }] of revised) if (on_hand !== 0) missed.add(item);
  for (const { item, quantity } of items) {
    const { on_hand = quantity } = revised.get(item) ?? {};
    if (on_hand === quantity) missed.delete(item);
    else missed.add(item);
  }
  return [...missed];
}

/** The events of missed changes. @param items from missedItems @param state the current state */
export function announceMissed(rules: StockRules, items: Iterable<string>, state: ItemState): Announced {
  const events = new StockEvents(rules, state);
  for (const item of items) events.missed(item);
  return events.announced();
}

function left(onHand: number): string {
  return onHand > 0 ? `only ${items(onHand)} left` : 'no items left';
}

function items(count: number): string {
  return `${count} ${count === 1 ? 'item' : 'items'}`;
}
