import type { EditRequest } from '../../domain/edit.ts';
import type { Order } from '../../domain/orders/order.ts';
import type { SendRecord, SentRecord } from '../../ports/broker.ts';

/** What an experiment can end or restart. */
export type StagePart = 'shop' | 'broker' | 'api';
export type GatewayMood = 'normal' | 'error' | 'lose';

/** A shop in the foreground on an embedded broker, as an experiment uses it: no one else uses any part of it. */
export interface Stage {
  /**
   * Ends all processes of a part and waits until the new ones work.
   *
   * @param limit ends the wait
   * @throws Failure not_found: it is not running; check_failed: it does not come back
   */
  strike(
    part: StagePart,
    how: 'kill' | 'stop',
    limit: AbortSignal,
  ): Promise<{ readonly pids: readonly number[]; readonly backMs: number }>;
  /** Endless orders for users and items of the shop. @throws Failure not_found: it has none */
  orders(random: () => number): Promise<Iterator<Order>>;
  /** At least one user. @throws Failure not_found: no user has paid */
  paidUsers(): Promise<readonly string[]>;
  /**
   * Places an order over HTTP, with the same id until it is answered.
   *
   * @throws Failure it is refused; the signal aborts
   */
  place(order: Order, flow: 'direct' | 'checkout', signal: AbortSignal): Promise<void>;
  /** Encodes orders for the topic of orders. */
  encode(orders: readonly Order[]): Promise<readonly Uint8Array[]>;
  /** Sends records to the topic of orders. @throws Failure not all are stored */
  send(records: readonly SendRecord[]): Promise<readonly SentRecord[]>;
  /** The orders that have ended, with their status. */
  ended(ids: Iterable<string>): Promise<ReadonlyMap<string, string>>;
  /** Duplicates that the processors have recognized since their process started; null: none is running. */
  duplicates(): Promise<{ readonly pid: number; readonly count: number } | null>;
  /**
   * Starts to watch the dead letters of orders.
   *
   * @returns a function that counts how many of the records are there now
   */
  watchDeadLetters(): Promise<(of: readonly SentRecord[]) => Promise<number>>;
  /** null: the shop uses no gateway that can be made to fail. */
  readonly gateway: {
    /** @param times for this many requests; null: until it is set again */
    mood(mood: GatewayMood, times: number | null): Promise<void>;
    /** The number of orders that were charged twice. */
    chargedTwice(): Promise<number>;
  } | null;
  edit(request: EditRequest, why: string): Promise<void>;
  /** The number of differences that an audit of the books finds. */
  audit(): Promise<number>;
  now(): number;
  sleep(ms: number): Promise<void>;
  newId(): string;
}
