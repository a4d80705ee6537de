import path from 'node:path';
import type { Clock } from '../../ports/clock.ts';
import type { StoreNotice } from '../../ports/store.ts';
import { writeFresh } from './checkpoint.ts';
import { isFailure, type Failure } from '../../domain/failure.ts';
import type { FileAccess } from './access.ts';
import { OWN_STYLE, styleOf, type CsvStyle } from './csv-records.ts';
import { editRenderer } from './edit-line.ts';
import { errorCode, readWhole, type FileStat, type FileSystem } from './fs.ts';
import {
  findHandEdit,
  sameStat,
  takeInLines,
  unsettledMs,
  type Found,
  type TableKind,
} from './hand-edit-look.ts';
import type { HandEdit } from './hand-edits.ts';
import type { Ledger } from './ledger.ts';
import type { Row } from './rows.ts';
import type { FrozenTable, Table } from './table.ts';
import { rowLines, type StateLine } from './tables.ts';
import { textBytes } from './text-bytes.ts';
import { encodeVersion, fingerprintFile, readVersions, sameFingerprint } from './versions.ts';
import { crc32 } from 'node:zlib';

/*
 * One CSV: a view of its table that people may edit. What keeps every edit counted exactly once:
 *
 *   - a version is committed (its fingerprint, and how to get from it to the one before) before it is put in place,
 *     so that whatever lies on disk after a crash is a version we know or an edit by a person, never in doubt;
 *   - when an edit is taken in, the file as found becomes the newest known version in the same commit;
 *   - the file is replaced by moving it aside, seeing that it is the one we know, and linking the new one in, which
 *     fails when somebody has put another there meanwhile: that is an edit to take in first.
 */

/** How often to look while an editor writes. */
const LOOK_AGAIN_MS = 20;

export interface CsvContext {
  readonly files: FileSystem;
  readonly folder: string;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly by: string;
  readonly onNotice: (notice: StoreNotice) => void;
  /** Runs between two commits. */
  readonly exclusive: <T>(work: () => Promise<T>) => Promise<T>;
}

export class CsvFile<R extends Row> {
  readonly #context: CsvContext;
  readonly #kind: TableKind<R>;
  readonly #table: Table<R>;
  readonly #render: (table: FrozenTable<R>, style: CsvStyle) => Iterable<Buffer>;
  readonly #path: string;
  /** The file as it was when it was last known or judged; undefined: not there. */
  #seen: FileStat | undefined;
  #looked = false;
  /** Why it cannot be taken in. */
  #broken: Failure | undefined;
  #mustWrite = false;
  /** As the user has it: what is written in its place is the same to other programs. */
  #style = OWN_STYLE;
  #access: FileAccess | undefined;

  constructor(
    context: CsvContext,
    kind: TableKind<R>,
    table: Table<R>,
    render: (table: FrozenTable<R>, style: CsvStyle) => Iterable<Buffer>,
  ) {
    this.#context = context;
    this.#kind = kind;
    this.#table = table;
    this.#render = render;
    this.#path = path.join(context.folder, kind.file);
  }

  /** Whether the file on disk is behind the table. */
  get dirty(): boolean {
    return this.#broken === undefined && (this.#mustWrite || this.#table.isBehind);
  }

  /** Has it written though nothing says that it is behind. */
  writeAgain(): void {
    this.#mustWrite = true;
  }

  /**
   * The first look: clears up what a crash has left, puts back what lies aside, waits for an editor that is still
   * writing.
   *
   * @throws Failure corrupt_file
   */
  async start(): Promise<void> {
    this.#context.files.unlink(this.#temporary);
    await this.#restoreAside();
    while (!(await this.#judge(this.#context.files.stat(this.#path), true))) {
      await this.#context.clock.sleep(LOOK_AGAIN_MS);
    }
  }

  /** Takes in a hand edit if there is one: one stat when there is none. To be called between two commits. */
  async look(): Promise<void> {
    const stat = this.#context.files.stat(this.#path);
    // Another mode does not show in what is compared.
    const isRead = this.#broken?.code !== 'read_failed';
    if (this.#looked && isRead && sameStat(stat, this.#seen)) return;
    if (stat !== undefined && unsettledMs(this.#context.files, this.#path, stat) > 0) return;
    await this.#judge(stat, false);
  }

  /** @returns false when the file is being written at this moment */
  async #judge(stat: FileStat | undefined, starting: boolean): Promise<boolean> {
    const { files, ledger, onNotice } = this.#context;
    let found: Found<R>;
    try {
      const bytes = readWhole(files, this.#path);
      if (bytes !== undefined) this.#style = styleOf(bytes);
      if (stat !== undefined) this.#access = stat.access;
      found = findHandEdit(bytes, this.#path, this.#kind, this.#table, ledger.view(this.#kind.table));
    } catch (error) {
      // What this user may not read is as good as broken.
      if (!isFailure(error, 'read_failed')) throw error;
      found = { kind: 'broken', failure: error };
    }
    if (!sameStat(stat, files.stat(this.#path))) return false;
    if (stat !== undefined && found.kind !== 'known' && unsettledMs(files, this.#path, stat) > 0)
      return false;
    if (found.kind === 'broken') {
      if (starting) throw found.failure;
      const { line = 1 } = found.failure.context;
      const { message, fix, code } = found.failure;
      const isSaid = code === 'read_failed' && message === this.#broken?.message;
      if (!isSaid) onNotice({ kind: 'file_broken', file: this.#path, line, message, fix });
      this.#broken = found.failure;
    } else {
      if (this.#broken !== undefined) onNotice({ kind: 'file_mended', file: this.#path });
      this.#broken = undefined;
      await this.#accept(found);
    }
    // What was set aside is gone from there; anything else is as it was judged, and a change since is another edit.
    const gone = found.kind === 'edited' && found.edit.kind === 'set_aside';
    this.#seen = gone ? undefined : stat;
    this.#looked = true;
    return true;
  }

  async #accept(found: Exclude<Found<R>, { kind: 'broken' }>): Promise<void> {
    const { ledger, onNotice } = this.#context;
    switch (found.kind) {
      case 'missing':
        if (this.#table.newest === null && this.#table.rows.size === 0) return;
        if (this.#looked || this.#table.newest !== null) onNotice({ kind: 'file_missing', file: this.#path });
        this.#mustWrite = true;
        return;
      case 'known':
        this.#mustWrite = !found.newest;
        // After a crash it is what was on disk before the newest version was put in place.
        if (!found.newest && (this.#looked || ledger.recoveredCommits === 0)) {
          onNotice({ kind: 'file_outdated', file: this.#path });
        }
        return;
      case 'edited':
        if (found.edit.kind === 'merged') await this.#takeIn(found, found.edit);
        else await this.#setAside(this.#path);
        return;
    }
  }

  async #takeIn(
    found: Extract<Found<R>, { kind: 'edited' }>,
    edit: Extract<HandEdit<R>, { kind: 'merged' }>,
  ): Promise<void> {
    const { ledger, clock, by, onNotice } = this.#context;
    const { lines, version } = takeInLines(this.#kind, this.#table, found, edit);
    const render = editRenderer({ at: clock.now(), by, via: 'file' });
    const rowEdit = this.#kind.edit;
    const logged = function* (): Generator<string> {
      for (const { name, before, after } of edit.edits) {
        yield render(rowEdit(name, before, after));
      }
    };
    await ledger.commit({
      lines,
      logs: { edits: textBytes(logged()), [this.#kind.table]: encodeVersion(version) },
    });
    this.#mustWrite = false;
    for (const { item, wanted } of edit.clamped) onNotice({ kind: 'stock_clamped', item, wanted });
    if (edit.edits.length > 0) {
      onNotice({ kind: 'hand_edit_merged', file: this.#path, rows: edit.edits.length });
    }
  }

  /** Keeps a file that cannot be merged; the table is written anew in its place. */
  async #setAside(name: string): Promise<void> {
    const { files, folder, onNotice } = this.#context;
    let keptAs = `${this.#path}.conflict`;
    for (let number = 2; !files.link(name, keptAs); number++) keptAs = `${this.#path}.${number}.conflict`;
    // Under its new name for sure before the old one goes: it is a person's work.
    await files.syncDirectory(folder);
    // Another file may lie there by now.
    if (files.stat(name)?.inode === files.stat(keptAs)?.inode) files.unlink(name);
    this.#mustWrite = true;
    onNotice({ kind: 'file_set_aside', file: this.#path, keptAs });
  }

  get #temporary(): string {
    return `${this.#path}.new`;
  }

  get #aside(): string {
    return `${this.#path}.previous`;
  }

  /**
   * Puts back what lies aside. When another file has taken its place by now, what lies aside is kept as a conflict
   * if it is no version that we know.
   */
  async #restoreAside(): Promise<void> {
    const { files, folder, ledger } = this.#context;
    const bytes = readWhole(files, this.#aside);
    if (bytes === undefined) return;
    const found = fingerprintFile(bytes);
    const known = readVersions<R>(ledger.view(this.#kind.table));
    if (files.link(this.#aside, this.#path)) {
      // As in setting aside: it may be a person's work.
      await files.syncDirectory(folder);
    } else if (!known.some(({ fingerprint }) => sameFingerprint(fingerprint, found))) {
      await this.#setAside(this.#aside);
    }
    files.unlink(this.#aside);
  }

  /**
   * Writes the file anew, in the background of commits, unless an edit is found in its place.
   *
   * @returns whether the file is in place
   */
  async rewrite(): Promise<boolean> {
    const { files, folder, ledger, exclusive } = this.#context;
    const table = this.#table;
    const temporary = this.#temporary;
    const rendered = table.beginRender();
    const fingerprint = { sizeBytes: 0, crc32: 0 };
    const counted = function* (chunks: Iterable<Buffer>): Generator<Buffer> {
      for (const chunk of chunks) {
        fingerprint.sizeBytes += chunk.byteLength;
        fingerprint.crc32 = crc32(chunk, fingerprint.crc32);
        yield chunk;
      }
    };
    const access = files.stat(this.#path)?.access ?? this.#access;
    await writeFresh(files, temporary, counted(this.#render(rendered, this.#style)), access);
    const placed = await exclusive(async () => {
      const since = table.endRender();
      await this.look();
      // An edit that was taken in, or one to take in: begin again from there.
      if (table.newest !== rendered.newest || this.#broken !== undefined) return false;
      if (!sameStat(this.#seen, files.stat(this.#path))) return false;
      const { table: name } = this.#kind;
      const lines: StateLine[] = [['version', name, fingerprint], ...rowLines('undo', name, since)];
      if (sameFingerprint(table.newest, fingerprint)) {
        // Rows were changed, and changed back: nothing is left to write.
        if (table.isBehind) await ledger.commit({ lines });
      } else {
        const version = encodeVersion({ fingerprint, undo: rendered.newest === null ? [] : rendered.undo });
        await ledger.commit({ lines, logs: { [name]: version } });
      }
      return this.#place(temporary);
    });
    files.unlink(temporary);
    if (placed) await files.syncDirectory(folder);
    return placed;
  }

  async #place(temporary: string): Promise<boolean> {
    const { files } = this.#context;
    if (this.#seen !== undefined) {
      if (!moveAway(files, this.#path, this.#aside)) return false;
      if (!sameStat(this.#seen, files.stat(this.#aside))) {
        await this.#restoreAside();
        return false;
      }
    }
    // False: somebody has put another file there; the one aside is a version that we know.
    const linked = files.link(temporary, this.#path);
    const known = this.#seen;
    if (linked) {
      this.#seen = files.stat(temporary);
      this.#mustWrite = false;
    }
    if (sameStat(known, files.stat(this.#aside))) files.unlink(this.#aside);
    // An editor that had opened it before has written to it just now.
    else await this.#restoreAside();
    return linked;
  }
}

/** @returns false when it is not there: a person, or an editor that makes it its backup, was faster */
function moveAway(files: FileSystem, from: string, to: string): boolean {
  try {
    files.rename(from, to);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}
