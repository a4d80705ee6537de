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

/** When stock needs attention. */
export interface StockRules {
  /** Stock at or under this is low, for items without a reorder level of their own. */
  readonly lowStock: number;
}

/**
 * What is stored about an item besides its row, from its first event or alert on. It stays when the item is removed, so
 * that no revision is used twice.
 */
interface Revised {
  /** Of its last event or alert. */
  readonly revision: number;
  /** An order was refused for lack of it, and its stock has not risen since. */
  readonly wanted: boolean;
  /** As last announced; it differs from the row if stock was changed while nobody sent events. */
  readonly on_hand?: number;
}

/** By item. Written only where events are sent, so that a shop without events pays nothing. */
export const REVISIONS: SmallTable<Revised> = { name: 'item_revisions' };

type ItemState = Pick<State, 'at' | 'storeId' | 'item' | 'small'>;
type Cause = InventoryEvent['cause'];

/** An item while changes of it are folded: changed in place, since that is done for every line of every order. */
interface Folded {
  revision: number;
  wanted: boolean;
  onHand: number;
  /** Stock at or under this is low. */
  level: number;
  /** Its row in REVISIONS must be written. */
  isChanged: boolean;
}

/** The events and alerts of changes of stock, and the revisions they use. */
export interface Announced extends Pick<StateChanges, 'small' | 'outgoing'> {
  readonly small: readonly SmallChange[];
  readonly outgoing: readonly OutgoingMessage[];
}

/**
 * Folds changes of stock, in order, into an event for each and the alerts that they lead to. It begins at `state`, so it
 * must receive every change since then. A change that is decided again on the same state has the same ids.
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

  /** The changes from here on are caused by a message of this trace; null: by one of none. */
  causedBy(traceparent: string | null): void {
    this.#traceparent = traceparent;
  }

  /** The effect of a decision: each item of an accepted order changes once. */
  decided({ order, outcome }: Decided): void {
    if (outcome.kind === 'accepted') {
      const [only, second] = order.items;
      // One line is by far the commonest order, and needs no totals.
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

  /** @returns the item's revision after it */
  moved({ item, delta, cause, orderId }: Movement): number {
    return this.#change(item, delta, cause, orderId).revision;
  }

  /** Of its last change. */
  revisionOf(item: string): number {
    return this.#at(item).revision;
  }

  /** An order was refused for lack of this item. @param quantity what it asked for @param by its name in words */
  lacking(item: string, quantity: number, orderId: string | null, by = `Order ${orderId}`): void {
    const folded = this.#at(item);
    if (folded.wanted) return;
    folded.wanted = true;
    folded.isChanged = true;
    const what = `${by} was refused: it wants ${quantity} of Product ${item}`;
    this.#alert('insufficient_stock', item, folded, orderId, `${what}, with ${left(folded.onHand)}`);
  }

  /** An edit that may have changed stock or the level at which it is low. */
  edited({ item, before, after }: Extract<Edit, { kind: 'item' }>): void {
    const folded = this.#folded(item, before);
    this.#items.set(item, folded);
    const { onHand, level } = folded;
    const delta = (after?.quantity ?? 0) - onHand;
    folded.level = this.#levelOf(after);
    if (delta !== 0) this.#event(item, folded, delta, 'edit', null);
    // An item that is added or removed has not crossed a level.
    if (before === null || after === null) return;
    if (delta === 0 && isLowNow(onHand, level, folded)) {
      // There was no event to give the alert a revision.
      folded.revision += 1;
      folded.isChanged = true;
    }
    this.#crossed(item, folded, onHand, level, null);
  }

  /** Announces what changed while nobody sent events. */
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

  /** Only the revisions, for a run that sends no events: what was last announced stays as it is, for the next that does. */
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

  /** Alerts for the thresholds that the item has crossed since it had `onHand` and `level`. */
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

  /** The item as in its row. The first time, a difference from what was last announced is announced before anything else. */
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

/** Above the level before, at or under it now. */
function isLowNow(onHand: number, level: number, now: Folded): boolean {
  return onHand > level && now.onHand <= now.level;
}

/** The events of edits, for a store's `onEdits`. @param state before the edits */
export function announceEdits(rules: StockRules, edits: readonly Edit[], state: ItemState): Announced {
  const events = new StockEvents(rules, state);
  for (const edit of edits) if (edit.kind === 'item') events.edited(edit);
  return events.announced();
}

/**
 * Items that changed while nobody sent events, among those that had events before. No reader knows the stock of any other
 * item, whose first event will carry it; announcing them all at a first start would report changes that never happened.
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

/** @param items from missedItems @param state the current one */
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
