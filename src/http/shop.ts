import type { DecisionWatch } from '../app/intake/decision-watch.ts';
import type { KnownOrder, OrderIntake } from '../app/intake/intake.ts';
import type { Wished } from '../app/orders/wish.ts';
import type { StoreAccess } from '../ports/access.ts';
import type { StoreNotice } from '../ports/notices.ts';
import type { StoreReader } from '../ports/store.ts';
import type { Overview } from '../documents/http/overview.ts';
import type { LiveFeed } from './live.ts';

/** What is shown as it happens. */
export interface Live {
  readonly feed: LiveFeed;
  /** null: not looked at yet. */
  readonly overview: () => Overview | null;
}

/** What the routes work with. */
export interface Shop {
  readonly access: StoreAccess;
  readonly intake: OrderIntake;
  readonly watch: DecisionWatch;
  readonly live: Live;
  readonly users: 'required' | 'optional';
  readonly now: () => number;
  readonly newOrderId: () => string;
  /** The id of an order that has none, the same for the same key. */
  readonly orderIdOf: (idempotencyKey: string) => string;
  /** As findUnread, in the topics of both flows. */
  readonly findUnread: (
    reader: Pick<StoreReader, 'positions'>,
    orderId: string,
  ) => Promise<KnownOrder | undefined>;
  /** As wishFor, of a wish to cancel. */
  readonly cancel: (orderId: string, reason: string | null, waitMs: number) => Promise<Wished>;
  /** @throws Failure broker_unreachable and the like when the brokers do not answer */
  readonly checkBroker: () => Promise<void>;
  readonly onNotice: (notice: StoreNotice) => void;
}
