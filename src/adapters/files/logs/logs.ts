import path from 'node:path';
import type { FileSystem } from '../fs.ts';
import type { FolderState } from '../journal/checkpoint.ts';
import { fileOf, logEnd, logsOf, type LoadedFolder } from '../journal/recover.ts';
import { fileOfLog, FIRST_LOGS, innerFolder, type LogName } from '../layout.ts';
import { AppendLog } from './append-log.ts';
import { damagedLog } from './damage.ts';
import { LogView, linesOf, NO_LOG, type LogCut } from './log.ts';

/** What a checkpoint will record about each log. */
export type LogCuts = ReadonlyMap<LogName, LogCut>;

/** All logs of a folder, for its owner. */
export class Logs {
  readonly #files: FileSystem;
  readonly #folder: string;
  readonly #logs = new Map<LogName, AppendLog>();

  /** Opens each log at its true end. */
  constructor(files: FileSystem, folder: string, loaded: LoadedFolder | undefined) {
    this.#files = files;
    this.#folder = folder;
    for (const log of loaded === undefined ? FIRST_LOGS : logsOf(loaded)) {
      const name = path.join(folder, loaded === undefined ? fileOfLog(log) : fileOf(loaded, log));
      const sizeBytes = loaded === undefined ? 0 : logEnd(loaded, log);
      if (log === 'movements' && sizeBytes === 0) continue;
      this.#logs.set(log, new AppendLog(files, name, sizeBytes, loaded?.state.logs[log] ?? NO_LOG));
    }
  }

  /** The size of a log, including what is staged; 0 when it does not exist yet. */
  sizeOf(log: LogName): number {
    const found = this.#logs.get(log);
    return found === undefined ? 0 : found.sizeBytes + found.stagedBytes;
  }

  get stagedBytes(): number {
    let bytes = 0;
    for (const { stagedBytes } of this.#logs.values()) bytes += stagedBytes;
    return bytes;
  }

  /** A log as far as it is written. */
  view(log: LogName): LogView {
    const found = this.#logs.get(log);
    return found === undefined ? new LogView(this.#files, []) : viewOf(this.#files, found);
  }

  /** A log including what is staged. */
  stagedView(log: LogName): LogView {
    const found = this.#logs.get(log);
    if (found === undefined || found.stagedBytes === 0) return this.view(log);
    const { fd, path: name, sizeBytes, lineWindow } = found;
    const written = { fd, at: 0, position: 0, sizeBytes };
    return new LogView(this.#files, [written, ...found.staged()], name, lineWindow);
  }

  /**
   * Stages bytes, which must not change before they are written. The first lines create a log.
   *
   * @throws Failure corrupt_state when its file already exists, from a folder whose `.orderctl/` was lost
   */
  stage(log: LogName, parts: readonly Uint8Array[]): void {
    let found = this.#logs.get(log);
    if (found === undefined) {
      const name = path.join(this.#folder, fileOfLog(log));
      const sizeBytes = this.#files.stat(name)?.sizeBytes ?? 0;
      if (sizeBytes > 0) throw damagedLog(name, `it has ${sizeBytes} bytes that are not in the journal`);
      this.#logs.set(log, (found = new AppendLog(this.#files, name, 0, NO_LOG)));
    }
    found.stage(parts);
  }

  /** Writes what is staged, once the journal has it. */
  write(): void {
    for (const log of this.#logs.values()) log.write();
  }

  /** @throws Failure corrupt_state when another program has changed a log */
  assertOurs(): void {
    for (const log of this.#logs.values()) log.assertOurs();
  }

  async sync(): Promise<void> {
    for (const log of this.#logs.values()) await log.sync();
  }

  cut(): LogCuts {
    return new Map(Array.from(this.#logs, ([name, log]) => [name, log.cut()]));
  }

  /** What a checkpoint records about the logs as they were at its cut. */
  describe(cuts: LogCuts): FolderState['logs'] {
    const described = Array.from(cuts, ([name, cut]) => {
      const log = this.#logs.get(name);
      const file = path.relative(this.#folder, log?.path ?? '');
      return [name, { file, ...log?.describe(cut) }] as const;
    });
    return Object.fromEntries(described) as unknown as FolderState['logs'];
  }

  /**
   * Copies the newer half of a log of versions into a new file, which the next checkpoint will name, and closes the old
   * one.
   *
   * @param number the journal that continues after that checkpoint
   */
  shorten(log: 'users' | 'inventory', number: number): void {
    const old = this.#logs.get(log);
    if (old === undefined) return;
    const view = viewOf(this.#files, old);
    const name = path.join(innerFolder(this.#folder), `${log}.versions.${number}`);
    // Left by a crash: no state.json names it.
    this.#files.unlink(name);
    const shortened = new AppendLog(this.#files, name, 0, NO_LOG);
    for (const chunk of view.chunks(lineStartAfter(view, old.sizeBytes / 2))) shortened.append(chunk);
    old.close();
    this.#logs.set(log, shortened);
  }

  /** Closes logs that the next checkpoint will not name. */
  drop(logs: readonly LogName[]): void {
    for (const log of logs) {
      this.#logs.get(log)?.close();
      this.#logs.delete(log);
    }
  }

  close(): void {
    for (const log of this.#logs.values()) log.close();
  }
}

function viewOf(files: FileSystem, { fd, path: name, sizeBytes, lineWindow }: AppendLog): LogView {
  return new LogView(files, [{ fd, at: 0, position: 0, sizeBytes }], name, lineWindow);
}

/** Where the first line at or after `position` starts, or the last line when there is none. */
function lineStartAfter(view: LogView, position: number): number {
  let start = 0;
  let at = 0;
  for (const chunk of view.chunks()) {
    for (const { at: lineAt } of linesOf(chunk)) {
      start = at + lineAt;
      if (start >= position) return start;
    }
    at += chunk.byteLength;
  }
  return start;
}
