import type { Fact, FactLog, SmallTable } from '../../../domain/facts.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Snapshot } from '../../../ports/store.ts';
import type { Ledger } from '../ledger.ts';
import { statusOf } from '../tables/columns.ts';

/** The state on which a transaction is decided. */
export function transactionState(ledger: Ledger, clock: Clock): Snapshot {
  const { tables } = ledger;
  return {
    at: clock.now(),
    storeId: ledger.folderId,
    seq: ledger.nextSeq,
    status: (user) => {
      const value = tables.users.rows.value(user);
      return value === undefined ? undefined : statusOf(value);
    },
    quantity: (item) => tables.inventory.rows.value(item),
    user: (user) => tables.users.rows.get(user),
    item: (item) => tables.inventory.rows.get(item),
    decided: (orderId) => ledger.decided(orderId),
    position: (of) => tables.position(of),
    facts: <T extends Fact>(log: FactLog<T>, key: string) => ledger.facts(log.name, key) as readonly T[],
    small: <T>({ name }: SmallTable<T>, key: string) => tables.small.get(name)?.get(key) as T | undefined,
    effect: (id) => tables.effects.get(id),
  };
}
