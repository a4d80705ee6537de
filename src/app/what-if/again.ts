import type { LoggedEdit } from '../../domain/edit.ts';
import type { Decided, Outcome } from '../../domain/orders/decided.ts';
import { sameContent, type Order } from '../../domain/orders/order.ts';
import { triedId } from '../../domain/orders/retry-id.ts';
import type { UserStatus } from '../../domain/tables.ts';
import type { CheckoutFact } from '../../domain/checkout/facts.ts';
import type { HistoryLine } from '../../ports/store.ts';
import { decide } from '../../processors/orders/decide.ts';
import { CheckoutAgain } from './checkout.ts';
import type { OtherOutcome } from './outcome.ts';
import { Stock } from './stock.ts';

/** The assumed circumstances; each applies from the start of history. */
export interface Circumstances {
  /** Stock on hand at the start, instead of the quantity with which the item was added. */
  readonly stock: ReadonlyMap<string, number>;
  /** Selling prices, whatever orders and edits say. */
  readonly prices: ReadonlyMap<string, string>;
  /** The status of users, whatever edits say. */
  readonly statuses: ReadonlyMap<string, UserStatus>;
}

const MAX_ORDERS = 100;

/** Replays history, line by line, and decides again. */
export class Again {
  readonly was = new Stock();
  readonly wouldBe: Stock;
  readonly #circumstances: Circumstances;
  readonly #users = new Map<string, UserStatus>();
  /** Items with an assumed stock that history has not added yet. */
  readonly #toBeAdded: Set<string>;
  /** Orders that were rejected but would be accepted: their retries would not have been sent. */
  readonly #acceptedInstead = new Map<string, Order>();
  readonly #checkout: CheckoutAgain;
  /** Assumed items and users that no edit or order has named so far. */
  readonly unseen: { readonly items: Set<string>; readonly users: Set<string> };
  decided = 0;
  readonly counts = { accepted: 0, rejected: 0, not_sent: 0, rejected_otherwise: 0 };
  readonly orders: OtherOutcome[] = [];

  constructor(circumstances: Circumstances) {
    this.#circumstances = circumstances;
    this.wouldBe = new Stock(circumstances.prices);
    this.#toBeAdded = new Set(circumstances.stock.keys());
    const { stock, prices, statuses } = circumstances;
    this.unseen = { items: new Set([...stock.keys(), ...prices.keys()]), users: new Set(statuses.keys()) };
    for (const [item, quantity] of circumstances.stock) this.wouldBe.put(item, quantity);
    for (const [user, status] of circumstances.statuses) this.#users.set(user, status);
    this.#checkout = new CheckoutAgain({
      was: this.was,
      wouldBe: this.wouldBe,
      isUser: (name) => this.#users.has(name),
      onOther: (other) => this.#differs(other),
    });
  }

  get unknown(): number {
    return this.#checkout.unknown;
  }

  take(line: HistoryLine): void {
    switch (line.kind) {
      case 'edit':
        if (line.edit.kind === 'user' || line.edit.kind === 'item') this.#edit(line.edit);
        return;
      case 'decision':
        this.#decide(line.decided);
        return;
      case 'movement':
        // Stock of the checkout is decided again with its steps.
        if (line.movement.cause === 'reservation' || line.movement.cause === 'release') return;
        this.was.add(line.movement.item, line.movement.delta);
        this.wouldBe.add(line.movement.item, line.movement.delta);
        return;
      case 'fact':
        this.#step(line.fact as CheckoutFact);
        return;
    }
  }

  #step(fact: CheckoutFact): void {
    if (fact.step === 'validated' || fact.step === 'rejected') {
      this.unseen.users.delete(fact.customer_id);
      for (const { product_id } of fact.items) this.unseen.items.delete(product_id);
    }
    if (this.#checkout.take(fact)) this.decided += 1;
  }

  #edit(edit: Extract<LoggedEdit, { kind: 'user' | 'item' }>): void {
    if (edit.kind === 'user') {
      this.unseen.users.delete(edit.user);
      if (this.#circumstances.statuses.has(edit.user)) return;
      if (edit.after === null) this.#users.delete(edit.user);
      else this.#users.set(edit.user, edit.after.status);
      return;
    }
    const { item, before, after } = edit;
    this.unseen.items.delete(item);
    if (after === null) {
      this.was.remove(item);
      this.wouldBe.remove(item);
      return;
    }
    this.was.put(item, after.quantity);
    this.wouldBe.put(item, this.#edited(item, before?.quantity ?? null, after.quantity));
  }

  /** An edit counts as the difference that it made, and leaves at least 0. */
  #edited(item: string, before: number | null, after: number): number {
    const onHand = this.wouldBe.quantity(item);
    if (onHand === undefined) return after;
    if (this.#toBeAdded.delete(item) && before === null) return onHand;
    return Math.max(Math.min(0, onHand), onHand + after - (before ?? 0));
  }

  #decide({ order, outcome, decidedAt }: Decided): void {
    this.decided += 1;
    this.unseen.users.delete(order.user);
    for (const { item } of order.items) this.unseen.items.delete(item);
    if (outcome.kind === 'accepted') this.was.sell(order.items, decidedAt);
    const about = { orderId: order.orderId, flow: 'direct', was: outcome.kind, decidedAt } as const;
    const tried = triedId(order.orderId);
    const instead = tried === null ? undefined : this.#acceptedInstead.get(tried);
    if (instead !== undefined && sameContent(instead, order)) {
      this.#differs({ ...about, wouldBe: 'not_sent', detail: null });
      return;
    }
    const again = decide(
      order,
      { status: (user) => this.#users.get(user), quantity: this.wouldBe.quantity },
      usersOf(order, outcome),
    );
    if (again.kind === 'accepted') this.wouldBe.sell(order.items, decidedAt);
    if (again.kind === 'accepted' && outcome.kind === 'rejected') {
      for (const id of [order.orderId, ...(tried === null ? [] : [tried])])
        this.#acceptedInstead.set(id, order);
      this.#differs({ ...about, wouldBe: 'accepted', detail: outcome.detail });
    } else if (again.kind === 'rejected' && outcome.kind === 'accepted') {
      this.#differs({ ...about, wouldBe: 'rejected', detail: again.detail });
    } else if (again.kind === 'rejected' && outcome.kind === 'rejected' && again.reason !== outcome.reason) {
      this.counts.rejected_otherwise += 1;
    }
  }

  #differs(other: OtherOutcome): void {
    this.counts[other.wouldBe] += 1;
    if (this.orders.length < MAX_ORDERS) this.orders.push(other);
  }
}

/** Whether an order without a user was decided by stock alone: the shop may have changed that rule since. */
function usersOf({ user }: Order, outcome: Outcome): 'required' | 'optional' {
  const wasRequired = outcome.kind === 'rejected' && outcome.reason === 'unknown_user';
  return user === '' && !wasRequired ? 'optional' : 'required';
}
