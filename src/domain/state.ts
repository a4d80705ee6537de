import type { Edit } from './edit.ts';
import type { Effect, EffectChange } from './effects.ts';
import type { Fact, FactLog, NewFact, SmallChange, SmallTable } from './facts.ts';
import type { OutgoingMessage } from './messages/outgoing.ts';
import type { Movement } from './movement.ts';
import type { Decided } from './orders/decided.ts';
import type { Item, User, UserStatus } from './tables.ts';

/** The committed state at one moment, readable for the keys that were asked for. */
export interface State {
  /** That moment, milliseconds since the epoch. */
  readonly at: number;
  /** Of the store: part of the ids of what is sent. */
  readonly storeId: string;
  /** The number of the commit that decides on it. It rises by every commit; not all numbers are used. */
  readonly seq: number;
  status(user: string): UserStatus | undefined;
  quantity(item: string): number | undefined;
  /** The whole row, for edits. */
  user(user: string): User | undefined;
  item(item: string): Item | undefined;
  decided(orderId: string): Decided | undefined;
  /** In the order in which they were appended. */
  facts<T extends Fact>(log: FactLog<T>, key: string): readonly T[];
  /** Of any key: a small table needs not be asked for. */
  small<T>(table: SmallTable<T>, key: string): T | undefined;
  effect(id: string): Effect | undefined;
}

/** What will be looked at or changed. */
export interface StateKeys {
  readonly users?: Iterable<string>;
  readonly items?: Iterable<string>;
  readonly orders?: Iterable<string>;
  readonly facts?: ReadonlyMap<FactLog<never>, Iterable<string>>;
  readonly effects?: Iterable<string>;
  /**
   * What follows from facts of the keys above: an order is known by its id, its items by what was reserved for it. A
   * store that locks calls it once it holds those.
   */
  readonly further?: (state: Pick<State, 'facts'>) => Pick<StateKeys, 'users' | 'items'>;
}

export interface StateChanges {
  /**
   * First decisions only, in order. Acceptance takes the stock of its lines: the store deducts it. What `edits` make of
   * an item counts first; an item that they add cannot be sold by the same changes.
   */
  readonly decisions?: readonly Decided[];
  readonly edits?: readonly Edit[];
  /** Of items that exist; after decisions and edits. The store adds `delta` to what is on hand. */
  readonly movements?: readonly Movement[];
  readonly facts?: readonly NewFact[];
  readonly small?: readonly SmallChange[];
  readonly effects?: readonly EffectChange[];
  /** In order: those of one type and key are sent in it. */
  readonly outgoing?: readonly OutgoingMessage[];
}
