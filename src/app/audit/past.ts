import type { FactLog, Fact } from '../../domain/facts.ts';
import type { StoreAccess } from '../../ports/access.ts';
import type { PlacedLines, StoreInspection } from '../../ports/health.ts';
import type { HistoryLine } from '../../ports/store.ts';
import { upTo, type Moment } from '../history/moment.ts';
import { PastTables, type Past } from '../history/past-tables.ts';
import { AUDITED_FACTS } from './services.ts';

/** The number of lines in each log at a past moment, and the tables. */
export interface PastBooks extends Past {
  readonly lines: ReadonlyMap<string, number>;
}

/** @throws Failure not_found: history starts later, or does not reach that commit */
export async function readPastBooks(access: Pick<StoreAccess, 'read'>, moment: Moment): Promise<PastBooks> {
  await using reader = await access.read();
  const tables = new PastTables();
  const lines = new Map<string, number>();
  const reached = { seq: null, at: null, unnumbered: 0 };
  const history = reader.history(AUDITED_FACTS);
  for await (const chunk of upTo(history, moment, reached)) {
    for (const line of chunk) {
      tables.take(line);
      const log = logOf(line);
      lines.set(log, (lines.get(log) ?? 0) + 1);
    }
  }
  return { ...reached, lines, ...tables.rows() };
}

/**
 * The inspection at a past moment: its logs end there. State that is in no log is left out: positions, pending effects,
 * unsent messages, and whether the present files agree with each other.
 */
export function asOf(inspection: StoreInspection, past: PastBooks): StoreInspection {
  const cut = <T>(log: string, chunks: AsyncIterable<PlacedLines<T>>): AsyncIterable<PlacedLines<T>> =>
    first(chunks, past.lines.get(log) ?? 0);
  return {
    isOwned: inspection.isOwned,
    users: () => past.users,
    items: () => past.items,
    positions: () => [],
    unsent: () => new Map(),
    allUnsent: () => [],
    effects: () => [],
    undelivered: none,
    decided: (orderId) => inspection.decided(orderId),
    decisions: (outcome) => cut(outcome, inspection.decisions(outcome)),
    // History is read in full or not at all.
    archived: () => null,
    edits: () => cut('edits', inspection.edits()),
    movements: () => cut('movements', inspection.movements()),
    facts: <T extends Fact>(log: FactLog<T>) => cut(log.name, inspection.facts(log)),
    whereRow: (table, name) => inspection.whereRow(table, name),
    findings: none,
    place: inspection.place,
    historyFrom: none,
    [Symbol.asyncDispose]: () => inspection[Symbol.asyncDispose](),
  };
}

function logOf(line: HistoryLine): string {
  if (line.kind === 'decision') return line.decided.outcome.kind;
  if (line.kind === 'fact') return line.log.name;
  return line.kind === 'edit' ? 'edits' : 'movements';
}

async function* first<T>(
  chunks: AsyncIterable<PlacedLines<T>>,
  count: number,
): AsyncGenerator<PlacedLines<T>> {
  let left = count;
  if (left === 0) return;
  for await (const chunk of chunks) {
    yield left < chunk.lines.length ? { ...chunk, lines: chunk.lines.slice(0, left) } : chunk;
    left -= chunk.lines.length;
    if (left <= 0) return;
  }
}

async function* none(): AsyncGenerator<never> {
  // Unknown for a past moment.
}
