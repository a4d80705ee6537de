/** What happened to a thing, in the shape in which it is logged: fields of JSON, snake_case. */
export type Fact = Readonly<Record<string, unknown>>;

/**
 * A log of facts: append-only, read by key, never shortened. What is known of a thing is a fold over its facts, few per
 * key, in any order.
 */
export interface FactLog<T extends Fact = Fact> {
  /** Of the log, and of its file or table. */
  readonly name: string;
  /** The field whose text is the key. */
  readonly key: keyof T & string;
}

/** A fact to be appended: made by newFact, which sees that it is one of that log. */
export interface NewFact {
  readonly log: FactLog<never>;
  readonly value: Fact;
}

export function newFact<T extends Fact>(log: FactLog<T>, value: T): NewFact {
  return { log, value };
}

/**
 * A small table: rows by key, all of them in memory. For settings, cursors, windows: what grows with the shop, never
 * with the orders.
 */
export interface SmallTable<T> {
  readonly name: string;
  /** Fixes T; never set. */
  readonly row?: T;
}

/** A row as it is after a change; null: not there. A JSON value. */
export interface SmallChange<T = unknown> {
  readonly table: SmallTable<T>;
  readonly key: string;
  readonly value: T | null;
}
