import { Failure } from '../../../domain/failure.ts';
import type { FileSystem } from '../fs.ts';
import { innerFolder, journalPath, type LogName } from '../layout.ts';
import { openOrUndefined } from '../whole-files.ts';
import { readState, type FolderState } from './checkpoint.ts';
import { decodeEntry, type DecodedEntry } from './entry.ts';
import { scanJournal, type JournalEnd, type ScannedRecord } from './journal.ts';
import { logEnd, type LoadedFolder } from './recover.ts';

/** The journal that is being read, and how far it was read. */
interface Reading {
  readonly number: number;
  readonly inode: bigint;
  /** undefined: the next `look` opens it. */
  fd: number | undefined;
  end: JournalEnd;
  /** Its size then, including an unfinished record; it never becomes smaller. */
  readBytes: number;
}

/** For a caller that needs each record, not only the sizes of the logs: no record is skipped. */
export interface JournalEvents {
  /**
   * @param entry valid until this returns
   * @param payloadAt where the payload starts in `fd`, which stays open until `onJournal`
   */
  onEntry(entry: DecodedEntry, payloadAt: number, fd: number): void;
  /** The next journal is about to be read: everything in this one is in the logs as well. */
  onJournal(): void;
}

/**
 * The sizes of some logs according to the journals, followed while the owner runs. A record names everything that its
 * transactions added: up to its ends, no log lacks anything. The next journal continues where one ends; when owners
 * have removed the journal that was read, state.json has the sizes of the logs at its checkpoint.
 */
export class JournalTail implements Disposable {
  readonly ends = new Map<LogName, number>();
  readonly #files: FileSystem;
  readonly #folder: string;
  readonly #inner: string;
  readonly #logs: ReadonlySet<LogName>;
  #folderId: string | undefined;
  readonly #on: JournalEvents | undefined;
  /** The number of the last transaction seen. */
  #seq = 0;
  /** undefined: there is no state yet. */
  #reading: Reading | undefined;

  /**
   * @param loaded the moment from which to read, its journals still open; undefined: the folder had no state yet
   * @param logs the logs to follow; they must never be shortened
   * @param on if given, `look` fails with changed_since when records were removed before they were read
   */
  constructor(
    files: FileSystem,
    folder: string,
    loaded: LoadedFolder | undefined,
    logs: ReadonlySet<LogName>,
    on?: JournalEvents,
  ) {
    this.#files = files;
    this.#folder = folder;
    this.#inner = innerFolder(folder);
    this.#logs = logs;
    this.#on = on;
    if (loaded === undefined) return;
    const { state, journal, journalFds, seq } = loaded;
    this.#folderId = state.folderId;
    this.#seq = seq;
    for (const log of logs) this.ends.set(log, logEnd(loaded, log));
    const { number, end, readBytes } = journal;
    const { inode } = files.statOpen(journalFds[number - state.journal.number] ?? NaN);
    this.#reading = { number, inode, fd: undefined, end, readBytes };
    if (on === undefined) return;
    // Opened at once: a checkpoint may remove it before it is read to its end.
    this.#reading.fd = openOrUndefined(files, journalPath(this.#inner, number));
    if (this.#reading.fd !== undefined && files.statOpen(this.#reading.fd).inode !== inode)
      this[Symbol.dispose]();
  }

  /** The number of the last transaction seen. */
  get seq(): number {
    return this.#seq;
  }

  /** Whether `look` would find anything new. */
  get hasMore(): boolean {
    const reading = this.#reading;
    if (reading === undefined) return true;
    const found = this.#files.stat(journalPath(this.#inner, reading.number));
    if (found?.inode !== reading.inode || found.sizeBytes !== reading.readBytes) return true;
    return this.#files.stat(journalPath(this.#inner, reading.number + 1)) !== undefined;
  }

  /** Reads everything new. @throws Failure changed_since, corrupt_state */
  look(): void {
    while (this.#lookOnce());
  }

  /** @returns whether it now reads another journal */
  #lookOnce(): boolean {
    const reading = this.#reading;
    if (reading === undefined) return this.#resume();
    const name = journalPath(this.#inner, reading.number);
    const found = this.#files.stat(name);
    if (found === undefined && this.#on !== undefined && reading.fd !== undefined)
      return this.#readRemoved({ ...reading, fd: reading.fd });
    if (found?.inode !== reading.inode || found.sizeBytes < reading.readBytes) return this.#resume();
    // Opened before this one is read: an owner creates the next journal after its last record here.
    const next = openOrUndefined(this.#files, journalPath(this.#inner, reading.number + 1));
    reading.fd ??= openOrUndefined(this.#files, name);
    if (reading.fd !== undefined) {
      const { end } = this.#scan(reading.fd, reading.end, next);
      this.#reading = { ...reading, end, readBytes: found.sizeBytes };
      if (next !== undefined) return this.#continueWith(reading.number + 1, next, end);
    } else if (next !== undefined) {
      this.#files.close(next);
    }
    return false;
  }

  /** Reads the rest of a journal that a checkpoint has removed, and continues. @throws Failure changed_since */
  #readRemoved({ number, fd, end: from }: Reading & { readonly fd: number }): boolean {
    const { end } = this.#scan(fd, from, undefined);
    const next = openOrUndefined(this.#files, journalPath(this.#inner, number + 1));
    if (next === undefined || !this.#continueWith(number + 1, next, end)) throw replaced(this.#folder);
    return true;
  }

  /**
   * Continues with another journal.
   *
   * @param after what its first record is chained to
   * @returns false: it is still being created
   */
  #continueWith(number: number, fd: number, after: Omit<JournalEnd, 'sizeBytes'>): boolean {
    this.#on?.onJournal();
    const { inode, sizeBytes } = this.#files.statOpen(fd);
    const { end } = this.#scan(fd, { ...after, sizeBytes: 0 }, fd);
    if (end.sizeBytes === 0) {
      this.#files.close(fd);
      return false;
    }
    this[Symbol.dispose]();
    this.#reading = { number, fd, inode, end, readBytes: sizeBytes };
    return true;
  }

  /**
   * @param toClose closed before this throws
   * @throws Failure changed_since: the journal does not continue from there
   */
  #scan(fd: number, from: JournalEnd, toClose: number | undefined): { readonly end: JournalEnd } {
    const onRecord = ({ payload, payloadAt }: Pick<ScannedRecord, 'payload' | 'payloadAt'>): void => {
      // An empty record only marks that an owner has started here.
      if (payload.byteLength === 0) return;
      const entry = decodeEntry(payload);
      for (const { log, position, bytes } of entry.logs) {
        if (this.#logs.has(log)) this.ends.set(log, position + bytes.byteLength);
      }
      this.#seq = Math.max(this.#seq, entry.seq);
      this.#on?.onEntry(entry, payloadAt, fd);
    };
    const result = scanJournal(this.#files, fd, onRecord, from);
    if (result.kind === 'ok') return result;
    if (result.kind === 'empty') return { end: from };
    if (toClose !== undefined) this.#files.close(toClose);
    throw replaced(this.#folder);
  }

  /** Continues from the checkpoint. @returns as `#lookOnce` */
  #resume(): boolean {
    if (this.#on !== undefined) throw replaced(this.#folder);
    const state = readState(this.#files, this.#inner);
    if (state === undefined && this.#reading === undefined) return false;
    if (state === undefined || !this.#isPartOf(state)) throw replaced(this.#folder);
    this.#folderId = state.folderId;
    this.#seq = Math.max(this.#seq, state.seq);
    for (const log of this.#logs) this.ends.set(log, state.logs[log]?.sizeBytes ?? 0);
    const fd = openOrUndefined(this.#files, journalPath(this.#inner, state.journal.number));
    // The next checkpoint has removed it since: the next look tries again.
    return fd !== undefined && this.#continueWith(state.journal.number, fd, state.journal);
  }

  /** Whether a checkpoint includes everything that was read. */
  #isPartOf({ folderId, seq, journal, logs }: FolderState): boolean {
    if (this.#reading === undefined) return true;
    const { end } = this.#reading;
    if (journal.seq === end.seq) return journal.chain === end.chain;
    if (folderId !== this.#folderId || journal.seq < end.seq || seq < this.#seq) return false;
    return [...this.ends].every(([log, sizeBytes]) => (logs[log]?.sizeBytes ?? 0) >= sizeBytes);
  }

  [Symbol.dispose](): void {
    if (this.#reading?.fd === undefined) return;
    this.#files.close(this.#reading.fd);
    this.#reading.fd = undefined;
  }
}

export function replaced(folder: string): Failure {
  return new Failure(
    'changed_since',
    `${folder} is not the folder that was followed: another one, or an earlier copy, is in its place`,
    { fix: 'run the command again: it starts from the folder as it is now', context: { file: folder } },
  );
}
