import type { Edit } from './edit.ts';
import type { Decided } from './orders/decided.ts';
import type { Item, User, UserStatus } from './tables.ts';

/** The committed state at one moment, readable for the keys that were asked for. */
export interface State {
  /** That moment, milliseconds since the epoch. */
  readonly at: number;
  status(user: string): UserStatus | undefined;
  quantity(item: string): number | undefined;
  /** The whole row, for edits. */
  user(user: string): User | undefined;
  item(item: string): Item | undefined;
  decided(orderId: string): Decided | undefined;
}

/** What will be looked at or changed. */
export interface StateKeys {
  readonly users?: Iterable<string>;
  readonly items?: Iterable<string>;
  readonly orders?: Iterable<string>;
}

export interface StateChanges {
  /**
   * First decisions only, in order. Acceptance takes the stock of its lines: the store deducts it. What `edits` make of
   * an item counts first; an item that they add cannot be sold by the same changes.
   */
  readonly decisions?: readonly Decided[];
  readonly edits?: readonly Edit[];
}
