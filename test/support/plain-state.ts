import type { Decided } from '../../src/domain/orders/decided.ts';
import { checkNewEffects, type Effect } from '../../src/domain/effects.ts';
import type { Fact, FactLog, SmallTable } from '../../src/domain/facts.ts';
import type { State, StateChanges } from '../../src/domain/state.ts';
import type { Item, User } from '../../src/domain/tables.ts';

/** A state in plain maps, for decisions without a store. It applies what was decided; keys are not checked. */
export class PlainState implements State {
  at = Date.UTC(2026, 0, 2);
  readonly storeId = 'shop';
  seq = 1;
  readonly users = new Map<string, User>();
  readonly items = new Map<string, Item>();
  readonly orders = new Map<string, Decided>();
  readonly factsByKey = new Map<string, Fact[]>();
  readonly rows = new Map<string, unknown>();
  readonly effects = new Map<string, Effect>();

  status = (user: string): User['status'] | undefined => this.users.get(user)?.status;
  quantity = (item: string): number | undefined => this.items.get(item)?.quantity;
  user = (user: string): User | undefined => this.users.get(user);
  item = (item: string): Item | undefined => this.items.get(item);
  decided = (orderId: string): Decided | undefined => this.orders.get(orderId);
  effect = (id: string): Effect | undefined => this.effects.get(id);
  facts<T extends Fact>({ name }: FactLog<T>, key: string): readonly T[] {
    return (this.factsByKey.get(`${name} ${key}`) ?? []) as unknown as readonly T[];
  }
  small<T>({ name }: SmallTable<T>, key: string): T | undefined {
    return this.rows.get(`${name} ${key}`) as T | undefined;
  }

  withUsers(statuses: Readonly<Record<string, User['status']>>): this {
    for (const [user, status] of Object.entries(statuses)) this.users.set(user, { user, status, extra: {} });
    return this;
  }

  withItems(rows: Readonly<Record<string, number | Partial<Item>>>): this {
    for (const [item, row] of Object.entries(rows)) {
      const given = typeof row === 'number' ? { quantity: row } : row;
      this.items.set(item, {
        item,
        quantity: 0,
        name: null,
        price: null,
        reorderLevel: null,
        extra: {},
        ...given,
      });
    }
    return this;
  }

  apply(changes: StateChanges): void {
    checkNewEffects(changes.effects ?? [], (id) => this.effects.has(id));
    this.seq += 1;
    for (const edit of changes.edits ?? []) {
      if (edit.kind === 'user') put(this.users, edit.user, edit.after);
      if (edit.kind === 'item') put(this.items, edit.item, edit.after);
    }
    for (const decided of changes.decisions ?? []) {
      this.orders.set(decided.order.orderId, decided);
      if (decided.outcome.kind !== 'accepted') continue;
      for (const { item, quantity } of decided.order.items) this.#add(item, -quantity);
    }
    for (const { item, delta } of changes.movements ?? []) this.#add(item, delta);
    for (const { log, value } of changes.facts ?? []) {
      const key = `${log.name} ${String(value[log.key])}`;
      this.factsByKey.set(key, [...(this.factsByKey.get(key) ?? []), value]);
    }
    for (const { table, key, value } of changes.small ?? []) put(this.rows, `${table.name} ${key}`, value);
    for (const { id, effect } of changes.effects ?? []) put(this.effects, id, effect);
  }

  #add(item: string, delta: number): void {
    const row = this.items.get(item);
    if (row === undefined) throw new Error(`item ${item} does not exist`);
    this.items.set(item, { ...row, quantity: row.quantity + delta });
  }
}

function put<T>(map: Map<string, T>, key: string, value: T | null): void {
  if (value === null) map.delete(key);
  else map.set(key, value);
}
