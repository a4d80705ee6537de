import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import type { Decided } from '../../domain/orders/decided.ts';
import { difference } from '../../domain/difference.ts';
import type { LoggedEdit } from '../../domain/edit.ts';
import type { Effect } from '../../domain/effects.ts';
import type { Fact, FactLog } from '../../domain/facts.ts';
import { isFailure, type Failure } from '../../domain/failure.ts';
import type { Item, User } from '../../domain/tables.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Finding, HistoryPlace, PlacedLines, StoreInspection } from '../../ports/health.ts';
import type {
  Destination,
  HistoryLine,
  LoggedMovement,
  Outgoing,
  StoredPosition,
  Undelivered,
} from '../../ports/store.ts';
import { checkCsv, linesOfRows } from './csv/check.ts';
import { checkIds } from './ids/check.ts';
import { parseEdit } from './logs/edit-line.ts';
import { parseFact } from './logs/fact-lines.ts';
import type { FileSystem } from './fs.ts';
import { INVENTORY, USERS } from './tables/columns.ts';
import { openIdIndex, type IdIndex } from './ids/index.ts';
import { indexedLogs, type IndexedLog } from './ids/indexed-logs.ts';
import { historyEnd, historyFrom } from './logs/history.ts';
import { linesOf, type LogView } from './logs/log.ts';
import { factLogName, fileOfLog, innerFolder, LOG_OF, type LogName } from './layout.ts';
import { openOrUndefined } from './whole-files.ts';
import { addTail, lookUp, rebuildIndex } from './ids/lookup.ts';
import { parseMovement } from './logs/movement-line.ts';
import { parseDecided } from './logs/parse-order-line.ts';
import { fileOf, logEnd, logsOf, type LoadedFolder } from './journal/recover.ts';
import { FolderSnapshot } from './journal/snapshot.ts';
import { allWaiting } from './outbox/windows.ts';
import { readUndelivered } from './logs/undelivered.ts';

const RETRY_MS = 25;
const COMPARED_BYTES = 256 * 1024;

/** These logs get another name when they are shortened. */
const SHORTENED_LOGS: ReadonlySet<LogName> = new Set(['users', 'inventory']);

/** A folder at one moment, down to its files. */
export class FolderInspection implements StoreInspection {
  readonly isOwned: boolean | Failure;
  readonly #files: FileSystem;
  readonly #folder: string;
  readonly #snapshot: FolderSnapshot;
  /** The index of the runs; after its first use, also of the lines after them. */
  #index: IdIndex | Failure;
  readonly #rowLines = new Map<'users' | 'items', ReadonlyMap<string, number>>();
  #isTailIndexed = false;

  private constructor(
    files: FileSystem,
    folder: string,
    found: { snapshot: FolderSnapshot; index: IdIndex | Failure; isOwned: boolean | Failure },
  ) {
    this.#files = files;
    this.#folder = folder;
    this.#snapshot = found.snapshot;
    this.#index = found.index;
    this.isOwned = found.isOwned;
  }

  /** @param isOwned called before the folder is read, and after */
  static async open(
    files: FileSystem,
    folder: string,
    clock: Clock,
    isOwned: () => Promise<boolean | Failure>,
  ): Promise<FolderInspection> {
    const wasOwned = await isOwned();
    let index: IdIndex | Failure | undefined;
    // Opened at once, since an owner that merges runs removes the old ones.
    const openRuns = ({ loaded }: FolderSnapshot, isLast: boolean): number => {
      try {
        index = openIdIndex(files, innerFolder(folder), loaded?.state.ids ?? []);
      } catch (error) {
        if (!isFailure(error, 'corrupt_state')) throw error;
        if (!isLast) return RETRY_MS;
        index = error;
      }
      return 0;
    };
    const snapshot = await FolderSnapshot.open(files, folder, clock, openRuns);
    const found = index ?? openIdIndex(files, innerFolder(folder), []);
    return new FolderInspection(files, folder, {
      snapshot,
      index: found,
      isOwned: wasOwned === false ? await isOwned() : wasOwned,
    });
  }

  users(): Iterable<User> {
    return this.#snapshot.tables.users.rows.values();
  }

  items(): Iterable<Item> {
    return this.#snapshot.tables.inventory.rows.values();
  }

  positions(): readonly StoredPosition[] {
    return this.#snapshot.tables.positions();
  }

  unsent(): ReadonlyMap<Destination, number> {
    return this.#snapshot.tables.queues.waiting();
  }

  allUnsent(): Iterable<Outgoing> {
    return allWaiting(this.#snapshot.tables.queues, (log) => this.#snapshot.view(log));
  }

  undelivered(): AsyncIterable<Undelivered> {
    return readUndelivered(this.#files, this.#folder);
  }

  async decided(orderId: string): Promise<Decided | undefined> {
    const view = (log: LogName): LogView => this.#snapshot.view(log);
    const rebuild = (): IdIndex =>
      rebuildIndex(this.#files, innerFolder(this.#folder), this.#indexed(), view);
    const found = this.#wholeIndex();
    this.#index = 'find' in found ? found : rebuild();
    return lookUp(orderId, this.#index, view, () => (this.#index = rebuild()));
  }

  decisions(outcome: 'accepted' | 'rejected'): AsyncIterable<PlacedLines<Decided>> {
    return this.#placed(LOG_OF[outcome], parseDecided);
  }

  edits(): AsyncIterable<PlacedLines<LoggedEdit>> {
    return this.#placed('edits', parseEdit);
  }

  movements(): AsyncIterable<PlacedLines<LoggedMovement>> {
    return this.#placed('movements', parseMovement);
  }

  facts<T extends Fact>({ name }: FactLog<T>): AsyncIterable<PlacedLines<T>> {
    return this.#placed(factLogName(name), (line) => parseFact(line) as T);
  }

  get place(): HistoryPlace {
    const { loaded } = this.#snapshot;
    const logs = loaded === undefined ? [] : [...logsOf(loaded)];
    const ends = new Map<string, number>(logs.map((log) => [log, this.#snapshot.view(log).sizeBytes]));
    return historyEnd(this.#snapshot.tables, loaded?.state.folderId ?? null, ends);
  }

  archived(): null {
    return null;
  }

  historyFrom(
    from: HistoryPlace | null,
    facts: readonly FactLog<never>[],
  ): AsyncGenerator<readonly HistoryLine[]> {
    return historyFrom(this.#folder, (log) => this.#snapshot.view(log), { from, to: this.place, facts });
  }

  effects(): Iterable<Effect> {
    return this.#snapshot.tables.effects.values();
  }

  whereRow(table: 'users' | 'items', name: string): string {
    const { users, inventory } = this.#snapshot.csvs;
    const [{ file }, { bytes }] = table === 'users' ? [USERS, users] : [INVENTORY, inventory];
    if (bytes === undefined) return file;
    let lines = this.#rowLines.get(table);
    if (lines === undefined) this.#rowLines.set(table, (lines = linesOfRows(bytes)));
    return `${file}:${lines.get(name) ?? 1}`;
  }

  async *findings(): AsyncGenerator<Finding> {
    const { loaded, tables, csvs } = this.#snapshot;
    const view = (log: LogName): LogView => this.#snapshot.view(log);
    if (loaded !== undefined) {
      const logs = logsOf(loaded);
      for (const log of logs) yield* this.#checkLog(log, loaded);
      for (const log of logs) if (!SHORTENED_LOGS.has(log)) yield* this.#checkTail(log, loaded);
      const sources = {
        view,
        index: this.#wholeIndex(),
        fileOf: (log: LogName) => fileOf(loaded, log),
        relative: (file: string) => path.relative(this.#folder, file),
        logs: this.#indexed(),
      };
      for (const difference of checkIds(sources)) yield { difference };
    }
    const about = { isOwned: this.isOwned, isUnfinished: (loaded?.commits ?? 0) > 0 };
    const { users, inventory } = tables;
    yield* checkCsv({
      ...about,
      kind: USERS,
      table: users,
      bytes: csvs.users.bytes,
      facts: csvs.users.facts,
      versions: view('users'),
    });
    yield* checkCsv({
      ...about,
      kind: INVENTORY,
      table: inventory,
      bytes: csvs.inventory.bytes,
      facts: csvs.inventory.facts,
      versions: view('inventory'),
    });
  }

  /** Up to the checkpoint, a log must have the checksum that the checkpoint has for it. */
  *#checkLog(log: LogName, { state }: LoadedFolder): Generator<Finding> {
    const known = state.logs[log];
    if (known === undefined) return;
    const { file, sizeBytes, crc } = known;
    let at = 0;
    let found = 0;
    for (const chunk of this.#snapshot.view(log).chunks()) {
      found = crc32(chunk.subarray(0, Math.max(0, sizeBytes - at)), found);
      at += chunk.byteLength;
    }
    if (found === crc) return;
    const message = `${file} was changed: the checksum of its first ${sizeBytes} bytes does not match`;
    yield { difference: difference('log_changed', file, { message }) };
  }

  /** The lines after the checkpoint are in the journal; the file may have fewer of them, but no different ones. */
  *#checkTail(log: LogName, loaded: LoadedFolder): Generator<Finding> {
    const file = fileOf(loaded, log);
    const from = loaded.state.logs[log]?.sizeBytes ?? 0;
    const end = logEnd(loaded, log);
    const fd = openOrUndefined(this.#files, path.join(this.#folder, file));
    try {
      const onDisk = fd === undefined ? 0 : Math.min(this.#files.statOpen(fd).sizeBytes, end);
      const [ours, theirs] = [Buffer.alloc(COMPARED_BYTES), Buffer.alloc(COMPARED_BYTES)];
      for (let at = from; fd !== undefined && at < onDisk; at += COMPARED_BYTES) {
        const size = Math.min(COMPARED_BYTES, onDisk - at);
        this.#snapshot.view(log).read(ours.subarray(0, size), at);
        this.#files.read(fd, theirs.subarray(0, size), at);
        if (ours.compare(theirs, 0, size, 0, size) === 0) continue;
        const message = `${file} differs from the journal after byte ${at}, in the part after the last checkpoint`;
        yield { difference: difference('log_tail_mismatch', file, { message, fix: null }) };
        return;
      }
      if (this.isOwned !== false || onDisk >= end) return;
      const message = `the last ${end - onDisk} bytes of ${file} are only in the journal: the next start writes them`;
      yield { note: { kind: 'unfinished', where: file, message } };
    } finally {
      if (fd !== undefined) this.#files.close(fd);
    }
  }

  #indexed(): readonly IndexedLog[] {
    return indexedLogs(this.#snapshot.tables.facts);
  }

  #wholeIndex(): IdIndex | Failure {
    const { loaded } = this.#snapshot;
    if ('find' in this.#index && !this.#isTailIndexed && loaded !== undefined) {
      addTail(this.#index, loaded.state, this.#indexed(), (log) => this.#snapshot.view(log));
    }
    this.#isTailIndexed = true;
    return this.#index;
  }

  async *#placed<T>(log: LogName, parse: (line: Buffer) => T): AsyncGenerator<PlacedLines<T>> {
    const file = this.#snapshot.loaded?.state.logs[log]?.file ?? fileOfLog(log);
    let firstLine = 1;
    for (const chunk of this.#snapshot.view(log).chunks()) {
      const lines = Array.from(linesOf(chunk), ({ line }) => parsedOrNot(line, parse));
      yield { file, firstLine, lines };
      firstLine += lines.length;
      // See `inTurns`.
      await nextTurn();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#snapshot.close();
    if ('close' in this.#index) this.#index.close();
  }
}

function parsedOrNot<T>(line: Buffer, parse: (line: Buffer) => T): T | undefined {
  try {
    return parse(line);
  } catch {
    return undefined;
  }
}
