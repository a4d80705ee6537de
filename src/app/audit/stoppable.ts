import type { FactLog, Fact } from '../../domain/facts.ts';
import type { StoreInspection } from '../../ports/health.ts';

/** The same inspection; when the signal aborts, reading its logs ends with the signal's reason. */
export function stoppable(inspection: StoreInspection, signal: AbortSignal | undefined): StoreInspection {
  if (signal === undefined) return inspection;
  const of = <T>(chunks: AsyncIterable<T>): AsyncIterable<T> => untilStopped(chunks, signal);
  return {
    isOwned: inspection.isOwned,
    users: () => inspection.users(),
    items: () => inspection.items(),
    positions: () => inspection.positions(),
    unsent: () => inspection.unsent(),
    allUnsent: () => inspection.allUnsent(),
    effects: () => inspection.effects(),
    undelivered: () => of(inspection.undelivered()),
    decided: (orderId) => inspection.decided(orderId),
    decisions: (outcome) => of(inspection.decisions(outcome)),
    archived: () => inspection.archived(),
    edits: () => of(inspection.edits()),
    movements: () => of(inspection.movements()),
    facts: <T extends Fact>(log: FactLog<T>) => of(inspection.facts(log)),
    place: inspection.place,
    historyFrom: (from, facts) => of(inspection.historyFrom(from, facts)),
    whereRow: (table, name) => inspection.whereRow(table, name),
    findings: () => of(inspection.findings()),
    [Symbol.asyncDispose]: () => inspection[Symbol.asyncDispose](),
  };
}

async function* untilStopped<T>(chunks: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  for await (const chunk of chunks) {
    signal.throwIfAborted();
    yield chunk;
  }
}
