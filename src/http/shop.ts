import type { SalesBoard } from '../app/analytics/sales.ts';
import type { Dated } from '../app/shared-read.ts';
import type { AlertFilter } from '../app/alerts/page.ts';
import type { DeadLetterFilter } from '../app/dlq/filter.ts';
import type { DeadLetterMark } from '../app/dlq/page.ts';
import type { PageMark } from '../app/topics/from-end.ts';
import type { KnownOrder, OrderIntake } from '../app/intake/intake.ts';
import type { ShopWatch } from '../app/live/shop-watch.ts';
import type { RequestOutcome } from '../app/orders/request.ts';
import type { ExperimentKind } from '../domain/experiments/kinds.ts';
import type { KeptView, StoreAccess } from '../ports/access.ts';
import type { StoreNotice } from '../ports/notices.ts';
import type { DeadLetter, RedrivenDeadLetter, ShownDeadLetter } from '../documents/dead-letter.ts';
import type { Alert } from '../documents/http/alerts.ts';
import type { CheckedAudit } from '../documents/http/checked-audit.ts';
import type { ProcessorList } from '../documents/http/processors.ts';
import type { ExperimentBegun, ExperimentList } from '../documents/http/experiment.ts';
import type { Notification, OrderRecord } from '../documents/http/messages.ts';
import type { Overview } from '../documents/http/overview.ts';
import type { CheckoutExplanation } from '../documents/checkout/order.ts';
import type { Explanation } from '../documents/order.ts';
import type { DailyReport } from '../documents/reports/daily.ts';
import type { LiveFeed } from './live.ts';

/** Live data. */
export interface Live {
  readonly feed: LiveFeed;
  /** null: not read yet. */
  readonly overview: () => Overview | null;
}

/** A requested page of a list. `Mark` is where the next page starts. */
export interface PageWanted<Filter, Mark> {
  readonly filter: Filter;
  readonly limit: number;
  readonly mark: Mark | null;
  /** Aborts when the client no longer waits for the answer. */
  readonly signal: AbortSignal;
}

/** The views of a shop besides its orders and tables. */
export interface Views {
  readonly deadLetters: {
    /** @param wanted.processor as scopeOfProcessor */
    readonly page: (
      wanted: PageWanted<DeadLetterFilter, DeadLetterMark> & { readonly processor: string },
    ) => Promise<{ readonly deadLetters: readonly DeadLetter[]; readonly next: DeadLetterMark | null }>;
    readonly show: (id: string) => Promise<ShownDeadLetter>;
    /**
     * @param value replaces the value of the dead letter
     * @param isDryRun reports what would be sent, without sending it
     * @throws Failure already_decided (it is left alone), and those of redriveDeadLetters
     */
    readonly redrive: (
      id: string,
      value: Uint8Array | null,
      isDryRun: boolean,
    ) => Promise<RedrivenDeadLetter>;
  };
  readonly alerts: (
    wanted: PageWanted<AlertFilter, PageMark>,
  ) => Promise<{ readonly alerts: readonly Alert[]; readonly next: PageMark | null }>;
  readonly notifications: (
    wanted: PageWanted<{ readonly orderId: string | null }, PageMark>,
  ) => Promise<{ readonly notifications: readonly Notification[]; readonly next: PageMark | null }>;
  /**
   * The output of `order explain`.
   *
   * @param unread the order, if no processor has read it yet
   * @returns undefined if the order is not known
   */
  readonly explain: (
    orderId: string,
    unread: KnownOrder | undefined,
  ) => Promise<Explanation | CheckoutExplanation | undefined>;
  /** Returns undefined if the order has no decision. */
  readonly orderRecords: (orderId: string) => Promise<readonly OrderRecord[] | undefined>;
  readonly processors: () => Promise<ProcessorList>;
  /** @throws Failure interrupted: it takes too long */
  readonly sales: (signal: AbortSignal) => Promise<Dated<SalesBoard>>;
  /**
   * @param date as of `report show`
   * @param timeZone null: of this machine
   * @throws Failure invalid_value; interrupted: it takes too long
   */
  readonly report: (
    date: string,
    timeZone: string | null,
    signal: AbortSignal,
  ) => Promise<Dated<DailyReport>>;
  /** @throws Failure interrupted: it takes too long */
  readonly audit: (signal: AbortSignal) => Promise<CheckedAudit>;
}

/** Experiments that disturb the shop, to see whether its books stay balanced. */
export interface Experiments {
  list(): Promise<ExperimentList>;
  /** @param seed null: random @throws Failure folder_in_use: another one is running, or none is allowed */
  begin(kind: ExperimentKind, seed: number | null): Promise<ExperimentBegun>;
}

/** Everything that the routes need. */
export interface Shop {
  readonly views: Views;
  readonly access: StoreAccess;
  readonly intake: OrderIntake;
  /** A view of the store, for small reads: an order, a row. */
  readonly view: KeptView;
  readonly watch: ShopWatch;
  readonly live: Live;
  readonly experiments: Experiments;
  readonly users: 'required' | 'optional';
  /** The default reorder level, for items without one. */
  readonly lowStock: number;
  readonly now: () => number;
  readonly newOrderId: () => string;
  /** Returns the id for an order sent without one; always the same for the same key. */
  readonly orderIdOf: (idempotencyKey: string) => string;
  /** Like findUnread, in the topics of both flows. */
  readonly findUnread: (orderId: string) => Promise<KnownOrder | undefined>;
  /** Requests the cancellation of an order, as submitRequest does. */
  readonly cancel: (
    orderId: string,
    reason: string | null,
    waitMs: number,
    traceparent: string | null,
  ) => Promise<RequestOutcome>;
  /** @throws Failure broker_unreachable and the like when the brokers do not answer */
  readonly checkBroker: () => Promise<void>;
  readonly onNotice: (notice: StoreNotice) => void;
  /** Called after a row was edited here, before the edit is seen in the store. */
  readonly onEdit: () => void;
}
