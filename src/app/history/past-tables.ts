import type { Item, User } from '../../domain/tables.ts';
import type { SalesLine, StoreReader } from '../../ports/store.ts';
import { upTo, type Moment, type Reached } from './moment.ts';

/** The tables at a past moment, in the order in which their rows were added. */
export interface Past extends Readonly<Reached> {
  readonly users: readonly User[];
  readonly items: readonly Item[];
}

/**
 * Users and items at a past moment, including hand edits that were applied by then.
 *
 * @throws Failure not_found: history starts later, or does not reach that commit
 */
export async function readPast(reader: Pick<StoreReader, 'history'>, moment: Moment): Promise<Past> {
  const tables = new PastTables();
  const reached: Reached = { seq: null, at: null, unnumbered: 0 };
  for await (const lines of upTo(reader.history([]), moment, reached)) {
    for (const line of lines) tables.take(line);
  }
  return { ...reached, ...tables.rows() };
}

/** Follows users and items through history. Memory depends on the size of the tables, not of history. */
export class PastTables {
  readonly #users = new Map<string, User>();
  readonly #items = new Map<string, Item>();

  take(line: SalesLine): void {
    switch (line.kind) {
      case 'edit':
        if (line.edit.kind === 'user') put(this.#users, line.edit.user, line.edit.after);
        else if (line.edit.kind === 'item') put(this.#items, line.edit.item, line.edit.after);
        return;
      case 'decision':
        if (line.decided.outcome.kind === 'rejected') return;
        for (const { item, quantity } of line.decided.order.items) this.#add(item, -quantity);
        return;
      case 'decisions':
        for (const [item, quantity] of line.sums.taken) this.#add(item, -quantity);
        return;
      case 'movement':
        this.#add(line.movement.item, line.movement.delta);
        return;
      case 'fact':
        return;
    }
  }

  rows(): Pick<Past, 'users' | 'items'> {
    return { users: [...this.#users.values()], items: [...this.#items.values()] };
  }

  #add(item: string, delta: number): void {
    const row = this.#items.get(item);
    if (row !== undefined) this.#items.set(item, { ...row, quantity: row.quantity + delta });
  }
}

function put<T>(rows: Map<string, T>, key: string, row: T | null): void {
  if (row === null) rows.delete(key);
  else rows.set(key, row);
}
