import type { LoggedEdit } from '../../domain/edit.ts';
import type { Effect } from '../../domain/effects.ts';
import type { Fact, FactLog, SmallTable } from '../../domain/facts.ts';
import type { Decided } from '../../domain/orders/decided.ts';
import type { Item, User } from '../../domain/tables.ts';
import type { HistoryLine } from '../../ports/store.ts';
import type {
  FieldValues,
  LineAt,
  LoggedMovement,
  LogPlace,
  StockLog,
  StockPiece,
  StoredPosition,
  Undelivered,
} from '../../ports/store.ts';
import type { FileSystem } from './fs.ts';
import { factLogName, LOG_OF, type LogName } from './layout.ts';
import { parseEdit } from './logs/edit-line.ts';
import { factFinder, parseFact } from './logs/fact-lines.ts';
import { historyLogs, inTurns, linesIn, mergedHistory, stockPieces } from './logs/history.ts';
import { parsedLines, parsedLinesFromEnd, type LogView } from './logs/log.ts';
import { parseMovement } from './logs/movement-line.ts';
import { parseDecided } from './logs/parse-order-line.ts';
import { readUndelivered } from './logs/undelivered.ts';
import type { Tables } from './tables/tables.ts';

/** What owners and readers read in the same way, each from their own tables and logs. */
export abstract class FolderReads {
  protected abstract readonly files: FileSystem;
  protected abstract readonly folder: string;
  protected abstract readonly tables: Tables;
  protected abstract view(log: LogName): LogView;

  decisions(outcome: 'accepted' | 'rejected'): AsyncIterable<readonly Decided[]> {
    return parsedLines(this.view(LOG_OF[outcome]), parseDecided);
  }

  edits(): AsyncIterable<readonly LoggedEdit[]> {
    return parsedLines(this.view('edits'), parseEdit);
  }

  movements(): AsyncIterable<readonly LoggedMovement[]> {
    return parsedLines(this.view('movements'), parseMovement);
  }

  allFacts<T extends Fact>(log: FactLog<T>): AsyncIterable<readonly T[]> {
    return parsedLines(this.view(factLogName(log.name)), (line) => parseFact(line) as T);
  }

  history(facts: readonly FactLog<never>[]): AsyncIterable<readonly HistoryLine[]> {
    const logs = historyLogs(facts).map(([log, parse]) => linesIn(this.view(log), parse));
    return inTurns(mergedHistory(logs));
  }

  /** The whole history: sums would take as long to add up as the logs take to read. */
  salesHistory(facts: readonly FactLog<never>[]): AsyncIterable<readonly HistoryLine[]> {
    return this.history(facts);
  }

  async small<T>({ name }: SmallTable<T>): Promise<ReadonlyMap<string, T>> {
    return new Map(this.tables.small.get(name)) as ReadonlyMap<string, T>;
  }

  /** All small tables, by name. */
  smallTables(): ReadonlyMap<string, ReadonlyMap<string, unknown>> {
    return this.tables.small;
  }

  /** The logs of facts that have lines. */
  factLogs(): readonly FactLog<never>[] {
    return Array.from(this.tables.facts, ([name, { key }]) => ({ name, key }));
  }

  async effects(ids?: readonly string[]): Promise<readonly Effect[]> {
    const { effects } = this.tables;
    return ids === undefined ? [...effects.values()] : ids.flatMap((id) => effects.get(id) ?? []);
  }

  undelivered(): AsyncIterable<Undelivered> {
    return readUndelivered(this.files, this.folder);
  }

  async positions(): Promise<readonly StoredPosition[]> {
    return this.tables.positions();
  }
}

/** What all views of a folder do in the same way while its owner runs. */
export abstract class FolderViews extends FolderReads {
  async users(): Promise<Iterable<User>> {
    return this.tables.users.rows.values();
  }

  async items(): Promise<Iterable<Item>> {
    return this.tables.inventory.rows.values();
  }

  async userNamed(user: string): Promise<User | undefined> {
    return this.tables.users.rows.get(user);
  }

  async itemNamed(item: string): Promise<Item | undefined> {
    return this.tables.inventory.rows.get(item);
  }

  decisionsFromEnd(
    outcome: 'accepted' | 'rejected',
    from?: LogPlace,
  ): AsyncIterable<readonly LineAt<Decided>[]> {
    return parsedLinesFromEnd(this.view(LOG_OF[outcome]), { parse: parseDecided }, from);
  }

  factsFromEnd<T extends Fact>(
    { name }: FactLog<T>,
    only: FieldValues<T>,
    from?: LogPlace,
  ): AsyncIterable<readonly LineAt<T>[]> {
    return parsedLinesFromEnd(this.view(factLogName(name)), factFinder(only), from);
  }

  stockFromEnd(log: StockLog, item: string, before?: LogPlace): AsyncIterable<StockPiece> {
    return stockPieces(this.view(log === 'accepted' ? LOG_OF.accepted : log), log, item, before);
  }
}
