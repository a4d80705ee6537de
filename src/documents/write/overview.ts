import type { Balance } from '../../domain/balance.ts';
import { isoTime } from '../../domain/iso-time.ts';
import type { RunningConsumer } from '../../ports/owner.ts';
import type { Overview } from '../http/overview.ts';
import { processorDocument } from './status.ts';

type Books = NonNullable<Overview['books']>;

/** The data of an overview: see src/app/overview. */
export interface OverviewFacts {
  readonly at: number;
  readonly balance: Balance | null;
  readonly balancedAt: number | null;
  readonly consumer: RunningConsumer | null;
  readonly kafka: {
    readonly brokers: string;
    readonly answers: boolean | null;
    readonly deadLetters: number | null;
  };
  /** null: this process was started by hand. */
  readonly parts: Overview['parts'];
  readonly problem: string | null;
}

export function overviewDocument(
  { at, balance, balancedAt, consumer, kafka, parts, problem }: OverviewFacts,
  shop: string,
): Overview {
  return {
    at: isoTime(at),
    shop,
    books: balance === null || balancedAt === null ? null : booksOf(balance, balancedAt),
    consumer: consumer === null ? null : consumerOf(consumer),
    kafka: { brokers: kafka.brokers, answers: kafka.answers, dead_letters: kafka.deadLetters },
    parts,
    problem,
  };
}

function booksOf(balance: Balance, at: number): Books {
  const { putIn, sold, returned, onHand, accepted, rejected, orders, difference } = balance;
  return {
    checked_at: isoTime(at),
    put_in: putIn,
    sold,
    returned,
    moved: returned,
    on_hand: onHand,
    accepted,
    rejected,
    orders,
    difference,
  };
}

function consumerOf({ pid, status, instances }: RunningConsumer): NonNullable<Overview['consumer']> {
  const { state, waitingFor, lag, processors } = status;
  return {
    pid,
    state,
    waiting_for: waitingFor,
    lag,
    processors: processors.map(processorDocument),
    instances:
      instances?.map((one) => ({
        pid: one.pid,
        host: one.host,
        state: one.state,
        processors: [...one.processors],
      })) ?? null,
  };
}
