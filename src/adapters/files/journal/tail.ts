import { Failure } from '../../../domain/failure.ts';
import type { FileSystem } from '../fs.ts';
import { innerFolder, journalPath, type LogName } from '../layout.ts';
import { openOrUndefined } from '../whole-files.ts';
import { readState, type FolderState } from './checkpoint.ts';
import { decodeEntry, type DecodedEntry } from './entry.ts';
import { scanJournal, type JournalEnd, type ScannedRecord } from './journal.ts';
import { logEnd, type LoadedFolder } from './recover.ts';

/** The journal that is read, up to where it was read. */
interface Reading {
  readonly number: number;
  readonly inode: bigint;
  /** undefined: to be opened with the next look. */
  fd: number | undefined;
  end: JournalEnd;
  /** How long it was then, an unfinished record included: it never becomes shorter. */
  readBytes: number;
}

/** For one who needs each record, and not only how long the logs are: none is passed over. */
export interface JournalEvents {
  /**
   * @param entry valid until it returns
   * @param payloadAt where the payload begins in `fd`, which stays open until `onJournal`
   */
  onEntry(entry: DecodedEntry, payloadAt: number, fd: number): void;
  /** The next journal is about to be read: all that was in this one is in the logs as well. */
  onJournal(): void;
}

/**
 * How long some logs are, as the journals say, read on beside the owner. A record names all that its transactions
 * added: up to its ends nothing is missing in any log. The next journal goes on where one ends; when owners have removed
 * the one that was read, state.json says how long the logs were at its checkpoint.
 */
export class JournalTail implements Disposable {
  readonly ends = new Map<LogName, number>();
  readonly #files: FileSystem;
  readonly #folder: string;
  readonly #inner: string;
  readonly #logs: ReadonlySet<LogName>;
  #folderId: string | undefined;
  readonly #on: JournalEvents | undefined;
  /** Of the last transaction that was seen. */
  #seq = 0;
  /** undefined: there is no state yet. */
  #reading: Reading | undefined;

  /**
   * @param loaded the moment from which on it reads, its journals still open; undefined: nothing was there yet
   * @param logs that are never shortened
   * @param on with it, `look` fails with changed_since where records were removed before they were read
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
    // At once: a checkpoint may remove it before it is read to its end.
    this.#reading.fd = openOrUndefined(files, journalPath(this.#inner, number));
    if (this.#reading.fd !== undefined && files.statOpen(this.#reading.fd).inode !== inode)
      this[Symbol.dispose]();
  }

  /** The number of the last transaction that was seen. */
  get seq(): number {
    return this.#seq;
  }

  /** Whether `look` would find anything. */
  get hasMore(): boolean {
    const reading = this.#reading;
    if (reading === undefined) return true;
    const found = this.#files.stat(journalPath(this.#inner, reading.number));
    if (found?.inode !== reading.inode || found.sizeBytes !== reading.readBytes) return true;
    return this.#files.stat(journalPath(this.#inner, reading.number + 1)) !== undefined;
  }

  /** Reads on. @throws Failure changed_since, corrupt_state */
  look(): void {
    while (this.#lookOnce());
  }

  /** @returns whether another journal is read now */
  #lookOnce(): boolean {
    const reading = this.#reading;
    if (reading === undefined) return this.#resume();
    const name = journalPath(this.#inner, reading.number);
    const found = this.#files.stat(name);
    if (found === undefined && this.#on !== undefined && reading.fd !== undefined)
      return this.#readRemoved({ ...reading, fd: reading.fd });
    if (found?.inode !== reading.inode || found.sizeBytes < reading.readBytes) return this.#resume();
    // Before this one is read: an owner makes the next journal after its last record here.
    const next = openOrUndefined(this.#files, journalPath(this.#inner, reading.number + 1));
    reading.fd ??= openOrUndefined(this.#files, name);
    if (reading.fd !== undefined) {
      const { end } = this.#scan(reading.fd, reading.end, next);
      this.#reading = { ...reading, end, readBytes: found.sizeBytes };
      if (next !== undefined) return this.#goOn(reading.number + 1, next, end);
    } else if (next !== undefined) {
      this.#files.close(next);
    }
    return false;
  }

  /** Reads what is left of a journal that a checkpoint has removed meanwhile, and goes on. @throws Failure changed_since */
  #readRemoved({ number, fd, end: from }: Reading & { readonly fd: number }): boolean {
    const { end } = this.#scan(fd, from, undefined);
    const next = openOrUndefined(this.#files, journalPath(this.#inner, number + 1));
    if (next === undefined || !this.#goOn(number + 1, next, end)) throw replaced(this.#folder);
    return true;
  }

  /**
   * Goes on with another journal.
   *
   * @param after what its first record is chained to
   * @returns false: it is still being made
   */
  #goOn(number: number, fd: number, after: Omit<JournalEnd, 'sizeBytes'>): boolean {
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

  /** @param toClose when it throws @throws Failure changed_since: it does not go on from there */
  #scan(fd: number, from: JournalEnd, toClose: number | undefined): { readonly end: JournalEnd } {
    const onRecord = ({ payload, payloadAt }: Pick<ScannedRecord, 'payload' | 'payloadAt'>): void => {
      // An owner's mark that it was here.
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

  /** Goes on from the checkpoint. @returns as `#lookOnce` */
  #resume(): boolean {
    if (this.#on !== undefined) throw replaced(this.#folder);
    const state = readState(this.#files, this.#inner);
    if (state === undefined && this.#reading === undefined) return false;
    if (state === undefined || !this.#isPartOf(state)) throw replaced(this.#folder);
    this.#folderId = state.folderId;
    this.#seq = Math.max(this.#seq, state.seq);
    for (const log of this.#logs) this.ends.set(log, state.logs[log]?.sizeBytes ?? 0);
    const fd = openOrUndefined(this.#files, journalPath(this.#inner, state.journal.number));
    // Removed by the next checkpoint since: it is looked for again the next time.
    return fd !== undefined && this.#goOn(state.journal.number, fd, state.journal);
  }

  /** Whether a checkpoint holds all that was read. */
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
    { fix: 'run the command again: it begins with the folder as it is now', context: { file: folder } },
  );
}
