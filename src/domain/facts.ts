/** Something that happened, in the form in which it is logged: JSON fields in snake_case. */
export type Fact = Readonly<Record<string, unknown>>;

/**
 * An append-only log of facts, read by key and never truncated. The state of a key is a fold over its facts, which are
 * few and may be in any order.
 */
export interface FactLog<T extends Fact = Fact> {
  /** Name of the log and of its file or table. */
  readonly name: string;
  /** The field that holds the key, a string. */
  readonly key: keyof T & string;
}

/** A fact to append. Create it with newFact, which checks at compile time that it belongs to the log. */
export interface NewFact {
  readonly log: FactLog<never>;
  readonly value: Fact;
}

export function newFact<T extends Fact>(log: FactLog<T>, value: T): NewFact {
  return { log, value };
}

/**
 * A small table of rows by key, all in memory. It is meant for settings, cursors and windows: data that grows with the
 * shop, not with the number of orders.
 */
export interface SmallTable<T> {
  readonly name: string;
  /** Fixes T; never set. */
  readonly row?: T;
}

/** A row after a change: a JSON value; null: the row does not exist. */
export interface SmallChange<T = unknown> {
  readonly table: SmallTable<T>;
  readonly key: string;
  readonly value: T | null;
}
