import path from 'node:path';
import type { SetAside } from '../../../domain/set-aside.ts';
import type { StoreNotice } from '../../../ports/notices.ts';
import { errorCode, type FileSystem } from '../fs.ts';
import type { LogName } from '../layout.ts';
import type { LogView } from '../logs/log.ts';
import type { Row, TableKind } from '../tables/columns.ts';
import { fingerprintFile, sameFingerprint } from '../tables/fingerprint.ts';
import { openOrUndefined, readWhole } from '../whole-files.ts';
import { keptName, listKeptAside } from './kept-aside.ts';
import { readVersions } from './versions.ts';

interface Context {
  readonly files: FileSystem;
  readonly folder: string;
  readonly ledger: { view(log: LogName): LogView };
  readonly onNotice: (notice: StoreNotice) => void;
  /** Whether the file system shows that other programs have read a file. */
  readonly showsReads: () => boolean;
}

/** The names of a CSV on disk: its own, and those under which it is written, replaced and set aside. */
export class CsvPlace<R extends Row> {
  readonly path: string;
  /** Where the next version is written. */
  readonly temporary: string;
  /** Where the previous version is kept while it is replaced. */
  readonly aside: string;
  readonly #context: Context;
  readonly #kind: TableKind<R>;

  constructor(context: Context, kind: TableKind<R>) {
    this.#context = context;
    this.#kind = kind;
    this.path = path.join(context.folder, kind.file);
    this.temporary = `${this.path}.new`;
    this.aside = `${this.path}.previous`;
  }

  /** Sets aside a file that cannot be merged; the table is then written in its place. */
  async setAside(name: string, why: SetAside): Promise<void> {
    const { files, folder, onNotice } = this.#context;
    let number = 1;
    while (!files.link(name, path.join(folder, keptName(this.#kind.table, why, number)))) number++;
    const keptAs = path.join(folder, keptName(this.#kind.table, why, number));
    // It is a user's work: its new name must be durable before the old one is removed.
    await files.syncDirectory(folder);
    await this.finishSettingAside(name);
    onNotice({ kind: 'file_set_aside', file: this.path, keptAs, why });
  }

  /**
   * Whether the file at this path has been set aside already, as after a crash halfway through; another file may be
   * there by now.
   */
  isKeptAside(name: string): boolean {
    const { files, folder } = this.#context;
    const inode = files.stat(name)?.inode;
    return listKeptAside(files, folder).some(({ file }) => files.stat(file)?.inode === inode);
  }

  /**
   * Removes a file that was set aside; after a power failure it must not reappear here, since it was reported as not
   * counting.
   */
  async finishSettingAside(name: string): Promise<void> {
    const { files, folder } = this.#context;
    if (this.isKeptAside(name)) files.unlink(name);
    await files.syncDirectory(folder);
  }

  /**
   * Puts back the file that was moved aside. If another file has taken its place, the one moved aside is kept as a
   * conflict unless it is a known version.
   *
   * @returns whether it was kept as a conflict
   */
  async restoreAside(): Promise<boolean> {
    const { files, folder, ledger } = this.#context;
    const bytes = readWhole(files, this.aside);
    if (bytes === undefined) return false;
    const found = fingerprintFile(bytes);
    const { versions: known } = readVersions<R>(ledger.view(this.#kind.table));
    if (files.link(this.aside, this.path)) {
      // As in `setAside`: it may be a user's work.
      await files.syncDirectory(folder);
      files.unlink(this.aside);
      return false;
    }
    const isKnown = known.some(({ fingerprint }) => sameFingerprint(fingerprint, found));
    if (!isKnown) await this.setAside(this.aside, 'overtaken');
    files.unlink(this.aside);
    return !isKnown;
  }
}

/** The newest version of a CSV, kept open to see whether it was read even after another file has replaced it. */
export class NewestVersion {
  readonly #context: Context;
  readonly #path: string;
  #fd: number | undefined;
  /** It was committed but never put in place, because another file was there. */
  #isUnseen = false;

  constructor(context: Context, file: string) {
    this.#context = context;
    this.#path = file;
  }

  get isWatched(): boolean {
    return this.#fd !== undefined;
  }

  isUnread(): boolean {
    const { files, showsReads } = this.#context;
    if (this.#isUnseen) return showsReads();
    return this.#fd !== undefined && showsReads() && files.statOpen(this.#fd).isUnread;
  }

  /** Call when the file in place is the newest version. */
  watch(): void {
    this.close();
    this.#fd = openOrUndefined(this.#context.files, this.#path);
  }

  isNotInPlace(): void {
    this.close();
    this.#isUnseen = true;
  }

  close(): void {
    if (this.#fd !== undefined) this.#context.files.close(this.#fd);
    this.#fd = undefined;
    this.#isUnseen = false;
  }
}

/** @returns false when the file does not exist: a user, or an editor that renames it to its backup, was faster */
export function moveAway(files: FileSystem, from: string, to: string): boolean {
  try {
    files.rename(from, to);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}
