import type { EditRequest } from '../../domain/edit.ts';
import type { Order } from '../../domain/orders/order.ts';
import type { SendRecord, SentRecord } from '../../ports/broker.ts';

/** What an experiment can end. */
export type StagePart = 'shop' | 'broker' | 'api';
export type GatewayMood = 'normal' | 'error' | 'lose';

/** A shop in the foreground on an embedded broker, as an experiment sees it: nothing of it is anybody else's. */
export interface Stage {
  /**
   * Ends all processes of a part and waits until the next ones work.
   *
   * @param limit of waiting
   * @throws Failure not_found it does not run at the moment; check_failed it does not come back
   */
  strike(
    part: StagePart,
    how: 'kill' | 'stop',
    limit: AbortSignal,
  ): Promise<{ readonly pids: readonly number[]; readonly backMs: number }>;
  /** Endless orders for users and items of the shop. @throws Failure not_found it has none */
  orders(random: () => number): Promise<Iterator<Order>>;
  /** At least one. @throws Failure not_found nobody has paid */
  paidUsers(): Promise<readonly string[]>;
  /** Places an order over HTTP, under the same id until it is answered. @throws Failure it is refused, or the signal aborts */
  place(order: Order, flow: 'direct' | 'checkout', signal: AbortSignal): Promise<void>;
  /** Orders as bytes of the topic of orders. */
  encode(orders: readonly Order[]): Promise<readonly Uint8Array[]>;
  /** Sends records to the topic of orders. @throws Failure not all are stored */
  send(records: readonly SendRecord[]): Promise<readonly SentRecord[]>;
  /** Those that have ended, and how. */
  ended(ids: Iterable<string>): Promise<ReadonlyMap<string, string>>;
  /** Records that the processors have recognised as seen, since their process began; null: none runs. */
  duplicates(): Promise<{ readonly pid: number; readonly count: number } | null>;
  /** Starts to count the dead letters of the topic of orders. @returns how many of these records are there since */
  watchDeadLetters(): Promise<(of: readonly SentRecord[]) => Promise<number>>;
  /** null: the shop asks no gateway that can be made to fail. */
  readonly gateway: {
    /** @param times so many requests; null: until it is set again */
    mood(mood: GatewayMood, times: number | null): Promise<void>;
    /** Orders for which money has moved twice. */
    chargedTwice(): Promise<number>;
  } | null;
  edit(request: EditRequest, why: string): Promise<void>;
  /** Differences that an audit of the books finds. */
  audit(): Promise<number>;
  now(): number;
  sleep(ms: number): Promise<void>;
  newId(): string;
}
