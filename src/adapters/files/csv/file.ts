import type { Clock } from '../../../ports/clock.ts';
import type { StoreNotice } from '../../../ports/notices.ts';
import { writeFresh, readWhole } from '../whole-files.ts';
import { isFailure, type Failure } from '../../../domain/failure.ts';
import type { FileAccess } from '../access.ts';
import { CsvPlace, moveAway, NewestVersion } from './place.ts';
import { renderTable } from './render.ts';
import { OWN_STYLE, styleOf } from './records.ts';
import { type FileStat, type FileSystem } from '../fs.ts';
import {
  brokenNotice,
  findHandEdit,
  mergedNotice,
  sameStat,
  savedMsOf,
  unsettledMs,
  type FileFacts,
  type Found,
} from '../edits/hand-edit-look.ts';
import { takeInCommit, type EditHook } from '../edits/take-in.ts';
import type { TableKind, Row } from '../tables/columns.ts';
import { NamedChanges, type HandEdit } from '../edits/hand-edits.ts';
import type { Ledger } from '../ledger.ts';
import type { Table } from '../tables/table.ts';
import { rowLines, type StateLine } from '../tables/state-line.ts';
import { encodeRead, encodeVersion } from './versions.ts';
import { fingerprinted, sameFingerprint, type FileFingerprint } from '../tables/fingerprint.ts';

/*
 * One CSV: a view of its table that users may edit. Each edit is counted exactly once because:
 *
 *   - a version is committed (its fingerprint, and how to get back to the one before) before it is put in place, so
 *     that the file found after a crash is either a known version or an edit by a user;
 *   - when an edit is applied, the file as found becomes the newest known version in the same commit;
 *   - the file is replaced by moving it aside, checking that it is the known one, and linking the new one in. That
 *     fails when another file was put there meanwhile: an edit, to be applied first.
 */

/** How often to check while an editor is writing. */
const LOOK_AGAIN_MS = 20;

export interface CsvContext {
  readonly files: FileSystem;
  readonly folder: string;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly by: string;
  readonly onNotice: (notice: StoreNotice) => void;
  readonly onEdits: EditHook;
  /** Whether the file system shows that other programs have read a file. */
  readonly showsReads: () => boolean;
  /** Runs `work` between two commits. */
  readonly exclusive: <T>(work: () => Promise<T>) => Promise<T>;
}

export class CsvFile<R extends Row> {
  readonly #context: CsvContext;
  readonly #kind: TableKind<R>;
  readonly #table: Table<R>;
  readonly #place: CsvPlace<R>;
  readonly #path: string;
  /** The file when it was last judged; undefined: it did not exist. */
  #seen: FileStat | undefined;
  #looked = false;
  /** Why the file cannot be applied. */
  #broken: Failure | undefined;
  #mustWrite = false;
  /** As in the user's file; rewrites keep both, so that other programs see no difference. */
  #style = OWN_STYLE;
  #access: FileAccess | undefined;
  readonly #newest: NewestVersion;

  constructor(context: CsvContext, kind: TableKind<R>, table: Table<R>) {
    this.#context = context;
    this.#kind = kind;
    this.#table = table;
    this.#place = new CsvPlace(context, kind);
    this.#path = this.#place.path;
    this.#newest = new NewestVersion(context, this.#path);
  }

  /** Whether the file on disk is behind the table. */
  get dirty(): boolean {
    return this.#broken === undefined && (this.#mustWrite || this.#table.isBehind);
  }

  /** Marks the file to be rewritten even if it is not behind. */
  writeAgain(): void {
    this.#mustWrite = true;
  }

  /**
   * The first check: cleans up after a crash, puts back a file that was moved aside, and waits for an editor that is
   * still writing.
   *
   * @throws Failure corrupt_file, unless `besideBroken` is set and the last good values are known
   */
  async start(besideBroken = false): Promise<void> {
    const refuses = !besideBroken || this.#table.newest === null;
    this.#context.files.unlink(this.#place.temporary);
    await this.#restoreAside();
    while (!(await this.#judge(this.#context.files.stat(this.#path), refuses))) {
      await this.#context.clock.sleep(LOOK_AGAIN_MS);
    }
  }

  /** Applies a hand edit if there is one; costs one stat when there is none. Call it between two commits. */
  async look(): Promise<void> {
    const stat = this.#context.files.stat(this.#path);
    // A change of the mode alone does not show in the comparison, so an unreadable file is read again each time.
    const isRead = this.#broken?.code !== 'read_failed';
    if (this.#looked && isRead && sameStat(stat, this.#seen)) return;
    if (stat !== undefined && unsettledMs(this.#context.files, this.#path, stat) > 0) return;
    await this.#judge(stat, false);
  }

  /** @returns false when the file is being written at this moment */
  async #judge(stat: FileStat | undefined, refusesBroken: boolean): Promise<boolean> {
    const { files, ledger, onNotice } = this.#context;
    const facts = this.#facts(stat);
    let found: Found<R>;
    try {
      const bytes = readWhole(files, this.#path);
      if (bytes !== undefined) this.#style = styleOf(bytes);
      if (stat !== undefined) this.#access = stat.access;
      const log = ledger.view(this.#kind.table);
      found = findHandEdit(bytes, this.#path, this.#kind, this.#table, log, facts);
    } catch (error) {
      // A file that this user may not read is handled like a broken one.
      if (!isFailure(error, 'read_failed')) throw error;
      found = { kind: 'broken', failure: error };
    }
    if (!sameStat(stat, files.stat(this.#path))) return false;
    if (stat !== undefined && found.kind !== 'known' && unsettledMs(files, this.#path, stat) > 0)
      return false;
    let isSetAside = false;
    if (found.kind === 'broken') {
      if (refusesBroken) throw found.failure;
      const { message, code } = found.failure;
      const isReported = code === 'read_failed' && message === this.#broken?.message;
      if (!isReported) onNotice(brokenNotice(this.#path, found.failure));
      this.#broken = found.failure;
    } else {
      if (this.#broken !== undefined) onNotice({ kind: 'file_mended', file: this.#path });
      this.#broken = undefined;
      isSetAside = await this.#accept(found, facts);
    }
    // If the file still exists it is the one that was judged; a change since then is another edit.
    this.#seen = isSetAside ? undefined : stat;
    this.#looked = true;
    return true;
  }

  /** @returns whether the file was set aside */
  async #accept(found: Exclude<Found<R>, { kind: 'broken' }>, facts: FileFacts): Promise<boolean> {
    const { ledger, onNotice } = this.#context;
    switch (found.kind) {
      case 'missing':
        if (this.#table.newest === null && this.#table.rows.size === 0) return false;
        if (this.#looked || this.#table.newest !== null) onNotice({ kind: 'file_missing', file: this.#path });
        this.#mustWrite = true;
        return false;
      case 'known':
        this.#mustWrite = !found.newest;
        if (found.newest && !this.#newest.isWatched) this.#newest.watch();
        // After a crash, an older version is what was on disk before the newest one was put in place.
        if (!found.newest && (this.#looked || ledger.recoveredCommits === 0 || found.isSavedAfter)) {
          onNotice({ kind: 'file_outdated', file: this.#path });
        }
        return false;
      case 'edited':
        ledger.assertSound();
        if (this.#place.isKeptAside(this.#path)) await this.#place.finishSettingAside(this.#path);
        else if (found.edit.kind === 'set_aside') await this.#place.setAside(this.#path, found.edit.why);
        else {
          await this.#takeIn(found, found.edit, facts);
          return false;
        }
        this.#mustWrite = true;
        return true;
    }
  }

  async #takeIn(
    found: Extract<Found<R>, { kind: 'edited' }>,
    edit: Extract<HandEdit<R>, { kind: 'merged' }>,
    facts: FileFacts,
  ): Promise<void> {
    const { ledger, clock, by, onNotice, onEdits } = this.#context;
    const stamp = { seq: ledger.nextSeq, at: clock.now(), by, via: 'file' } as const;
    const named = new NamedChanges();
    const context = { facts, stamp, onEdits, named };
    await ledger.commit(takeInCommit(this.#kind, this.#table, found, edit, context));
    this.#mustWrite = false;
    this.close();
    for (const one of edit.clamped) onNotice({ kind: 'stock_clamped', ...one });
    if (named.rows > 0) onNotice(mergedNotice(this.#path, named, found.madeFrom));
  }

  #facts(stat: FileStat | undefined): FileFacts {
    return {
      nowMs: this.#context.clock.now(),
      savedMs: savedMsOf(stat),
      isNewestUnread: this.#newest.isUnread(),
    };
  }

  close(): void {
    this.#newest.close();
  }

  async #restoreAside(): Promise<void> {
    if (await this.#place.restoreAside()) this.#mustWrite = true;
  }

  /**
   * Rewrites the file while commits continue, unless an edit is found in its place.
   *
   * @returns whether the new file is in place
   */
  async rewrite(): Promise<boolean> {
    const { files, folder, ledger, exclusive } = this.#context;
    const table = this.#table;
    const temporary = this.#place.temporary;
    ledger.assertSound();
    const rendered = table.beginRender();
    const { chunks, fingerprint } = fingerprinted(renderTable(rendered, this.#style));
    const access = files.stat(this.#path)?.access ?? this.#access;
    await writeFresh(files, temporary, chunks, access);
    if (this.#context.showsReads()) files.markUnread(temporary);
    const placed = await exclusive(async () => {
      const since = table.endRender();
      await this.look();
      // An edit is waiting, or was just applied: the next rewrite starts from there.
      if (table.newest !== rendered.newest || this.#broken !== undefined) return false;
      if (!sameStat(this.#seen, files.stat(this.#path))) return false;
      const { table: name } = this.#kind;
      const lines: StateLine[] = [['version', name, fingerprint], ...rowLines('undo', name, since)];
      const former = this.#newest.isUnread() ? table.newest : null;
      if (sameFingerprint(table.newest, fingerprint)) {
        // Rows were changed and changed back: there is nothing to write.
        if (table.isBehind) await ledger.commit({ lines });
      } else {
        const version = {
          fingerprint,
          undo: rendered.newest === null ? [] : rendered.undo,
          at: this.#context.clock.now(),
          hand: null,
          isFormerUnread: former !== null,
        };
        await ledger.commit({ lines, logs: { [name]: encodeVersion(version) } });
      }
      const isPlaced = await this.#putInPlace(temporary, former);
      if (!isPlaced) {
        this.#newest.isNotInPlace();
      }
      return isPlaced;
    });
    files.unlink(temporary);
    if (placed) await files.syncDirectory(folder);
    return placed;
  }

  /** @param former the previous version, if no program was known to have read it when this one was committed */
  async #putInPlace(temporary: string, former: FileFingerprint | null): Promise<boolean> {
    const { files, ledger } = this.#context;
    // Where there is no file there may be a dangling link, which would be in the way.
    const isMoved = moveAway(files, this.#path, this.#place.aside);
    if (!isMoved && this.#seen !== undefined) return false;
    if (isMoved && !sameStat(this.#seen, files.stat(this.#place.aside))) {
      await this.#restoreAside();
      return false;
    }
    // False: another file was put there meanwhile; the one moved aside is a known version.
    const linked = files.link(temporary, this.#path);
    const known = this.#seen;
    // A program has read the previous version at the last moment.
    if (former !== null && !this.#newest.isUnread()) {
      await ledger.commit({ lines: [], logs: { [this.#kind.table]: encodeRead(former) } });
    }
    if (linked) {
      this.#seen = files.stat(temporary);
      this.#mustWrite = false;
      this.#newest.watch();
    }
    if (sameStat(known, files.stat(this.#place.aside))) files.unlink(this.#place.aside);
    // An editor that had it open has just written to it.
    else await this.#restoreAside();
    return linked;
  }
}
