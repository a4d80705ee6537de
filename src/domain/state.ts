import type { Edit } from './edit.ts';
import type { Effect, EffectChange } from './effects.ts';
import type { Fact, FactLog, NewFact, SmallChange, SmallTable } from './facts.ts';
import type { OutgoingMessage } from './messages/outgoing.ts';
import type { Movement } from './movement.ts';
import type { Decided } from './orders/decided.ts';
import type { Item, User, UserStatus } from './tables.ts';

/** The committed state at one moment, readable for the keys that were requested. */
export interface State {
  /** That moment, in milliseconds since the epoch. */
  readonly at: number;
  /** The id of the store, which is part of the ids of outgoing messages. */
  readonly storeId: string;
  /** The number of the commit that uses this state. It rises with every commit; numbers may be skipped. */
  readonly seq: number;
  status(user: string): UserStatus | undefined;
  quantity(item: string): number | undefined;
  /** The whole row, for edits. */
  user(user: string): User | undefined;
  item(item: string): Item | undefined;
  decided(orderId: string): Decided | undefined;
  /** In the order in which they were appended. */
  facts<T extends Fact>(log: FactLog<T>, key: string): readonly T[];
  /** The row of any key: keys of small tables need not be requested. */
  small<T>(table: SmallTable<T>, key: string): T | undefined;
  effect(id: string): Effect | undefined;
}

/** The keys that will be read or changed. */
export interface StateKeys {
  readonly users?: Iterable<string>;
  readonly items?: Iterable<string>;
  readonly orders?: Iterable<string>;
  readonly facts?: ReadonlyMap<FactLog<never>, Iterable<string>>;
  readonly effects?: Iterable<string>;
  /**
   * Further keys, known only from the facts of the keys above; for example, the items of an order are known from its
   * reservation. A store that locks rows calls it when it holds the locks of those keys.
   */
  readonly further?: (state: Pick<State, 'facts'>) => Pick<StateKeys, 'users' | 'items'>;
}

export interface StateChanges {
  /**
   * New decisions, in order, without duplicates. The store deducts the stock of accepted orders. Changes of an item by
   * `edits` apply first; an item that they add cannot be sold by the same changes.
   */
  readonly decisions?: readonly Decided[];
  readonly edits?: readonly Edit[];
  /** Movements of existing items, applied after decisions and edits. The store adds `delta` to the stock on hand. */
  readonly movements?: readonly Movement[];
  readonly facts?: readonly NewFact[];
  readonly small?: readonly SmallChange[];
  readonly effects?: readonly EffectChange[];
  /** In order: messages of the same type and key are sent in this order. */
  readonly outgoing?: readonly OutgoingMessage[];
}
