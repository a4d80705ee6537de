import type { FileSystem } from '../fs.ts';
import { LogView, type FilePart } from '../logs/log.ts';
import { openOrUndefined } from '../whole-files.ts';

/**
 * A log that grows, read while its owner runs: from its file as far as that is written, beyond that from the journal.
 */
export class KeptLog {
  readonly #files: FileSystem;
  readonly #name: string;
  #fd: number | undefined;
  /** Up to here it is read from its file. */
  #writtenBytes: number;
  #unwritten: FilePart[];
  #view: LogView | undefined;

  /**
   * @param name the path of its file
   * @param sizeBytes its size at the checkpoint
   * @param added what journals contain of it beyond that
   */
  constructor(files: FileSystem, name: string, sizeBytes: number, added: readonly FilePart[]) {
    this.#files = files;
    this.#name = name;
    this.#writtenBytes = sizeBytes;
    this.#unwritten = [...added];
    if (sizeBytes > 0) this.#fd = openOrUndefined(files, name);
  }

  add(part: FilePart): void {
    this.#unwritten.push(part);
    this.#view = undefined;
  }

  /** The log including everything committed. */
  view(): LogView {
    if (this.#unwritten.length > 0) this.settle();
    return (this.#view ??= new LogView(this.#files, this.#parts(), this.#name));
  }

  #parts(): FilePart[] {
    const fd = this.#fd;
    if (fd === undefined) return this.#unwritten;
    return [{ fd, at: 0, position: 0, sizeBytes: this.#writtenBytes }, ...this.#unwritten];
  }

  /**
   * Switches to reading the file, which an owner writes as soon as the journal is synced. @returns whether all is read
   * there
   */
  settle(): boolean {
    const last = this.#unwritten.at(-1);
    if (last === undefined) return true;
    this.#fd ??= openOrUndefined(this.#files, this.#name);
    const end = last.position + last.sizeBytes;
    if (this.#fd === undefined || this.#files.statOpen(this.#fd).sizeBytes < end) return false;
    this.#writtenBytes = end;
    this.#unwritten = [];
    this.#view = undefined;
    return true;
  }

  /** Whether its file is still the one being read, and no shorter. */
  isInPlace(): boolean {
    if (this.#fd === undefined) return this.#writtenBytes === 0;
    const found = this.#files.stat(this.#name);
    return found?.inode === this.#files.statOpen(this.#fd).inode && found.sizeBytes >= this.#writtenBytes;
  }

  close(): void {
    if (this.#fd !== undefined) this.#files.close(this.#fd);
    this.#fd = undefined;
  }
}
