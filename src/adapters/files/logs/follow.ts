import path from 'node:path';
import type { FactLog } from '../../../domain/facts.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { HistoryLine } from '../../../ports/store.ts';
import type { FileSystem } from '../fs.ts';
import type { LoadedFolder } from '../journal/recover.ts';
import { JournalTail, replaced } from '../journal/tail.ts';
import { fileOfLog, type LogName } from '../layout.ts';
import { openOrUndefined } from '../whole-files.ts';
import { historyLogs, linesIn, mergedHistory, type HistoryLog } from './history.ts';
import { LogView } from './log.ts';

/** Soon enough for a reader; a check costs two calls. */
const LOOK_MS = 200;
const CHUNK_BYTES = 64 * 1024;

/**
 * Yields what an owner appends to the logs after a moment. Lines are written once the journal is synced, so none is
 * ever undone; lines that a killed owner had yet to write are written by the next one.
 *
 * @param loaded that moment, its journals still open
 * @throws Failure changed_since, corrupt_state
 */
export function followLogs(
  files: FileSystem,
  folder: string,
  loaded: LoadedFolder | undefined,
  facts: readonly FactLog<never>[],
  options: { readonly clock: Clock; readonly signal: AbortSignal },
): AsyncIterable<readonly HistoryLine[]> {
  const logs = historyLogs(facts);
  const tail = new JournalTail(files, folder, loaded, new Set(logs.map(([log]) => log)));
  return follow(tail, new FollowedLogs(files, folder, logs, tail.ends), options);
}

async function* follow(
  tail: JournalTail,
  logs: FollowedLogs,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): AsyncGenerator<readonly HistoryLine[]> {
  using reading = tail;
  using written = logs;
  while (!signal.aborted) {
    reading.look();
    if (written.hasMore(reading.ends)) yield* written.next(reading.ends);
    else await clock.sleep(LOOK_MS, signal);
  }
}

/** The logs, each from a position on. */
class FollowedLogs implements Disposable {
  readonly #files: FileSystem;
  readonly #folder: string;
  readonly #logs: readonly HistoryLog[];
  readonly #positions: Map<LogName, number>;
  readonly #fds = new Map<LogName, number>();

  constructor(
    files: FileSystem,
    folder: string,
    logs: readonly HistoryLog[],
    positions: ReadonlyMap<LogName, number>,
  ) {
    this.#files = files;
    this.#folder = folder;
    this.#logs = logs;
    this.#positions = new Map(positions);
  }

  /** Whether there is something to read up to `ends`, and all of it is written. @throws Failure changed_since */
  hasMore(ends: ReadonlyMap<LogName, number>): boolean {
    let hasMore = false;
    for (const [log] of this.#logs) {
      const end = ends.get(log) ?? 0;
      if (end <= this.#position(log)) continue;
      hasMore = true;
      const name = path.join(this.#folder, fileOfLog(log));
      const fd = this.#fds.get(log) ?? openOrUndefined(this.#files, name);
      if (fd === undefined) return false;
      this.#fds.set(log, fd);
      const { inode, sizeBytes } = this.#files.statOpen(fd);
      if (this.#files.stat(name)?.inode !== inode) throw replaced(this.#folder);
      if (sizeBytes < end) return false;
    }
    return hasMore;
  }

  *next(ends: ReadonlyMap<LogName, number>): Generator<readonly HistoryLine[]> {
    yield* mergedHistory(
      this.#logs.map(([log, parse]) =>
        linesIn(this.#view(log, ends.get(log) ?? 0), parse, this.#position(log), CHUNK_BYTES),
      ),
    );
    for (const [log, end] of ends) this.#positions.set(log, end);
  }

  #view(log: LogName, sizeBytes: number): LogView {
    const fd = this.#fds.get(log);
    const parts = fd === undefined ? [] : [{ fd, at: 0, position: 0, sizeBytes }];
    return new LogView(this.#files, parts, path.join(this.#folder, fileOfLog(log)));
  }

  #position(log: LogName): number {
    return this.#positions.get(log) ?? 0;
  }

  [Symbol.dispose](): void {
    for (const fd of this.#fds.values()) this.#files.close(fd);
  }
}
