import { crc32 } from 'node:zlib';
import { Failure } from '../../../domain/failure.ts';
import type { FileSystem } from '../fs.ts';
import { LineWindow, LogView, tailCrc, type LogCut, type LogPart, type LogState } from './log.ts';

/** One log, open for appending by the folder's owner. */
export class AppendLog {
  readonly path: string;
  readonly fd: number;
  readonly lineWindow = new LineWindow();
  readonly #files: FileSystem;
  readonly #inode: bigint;
  #sizeBytes: number;
  readonly #staged: Uint8Array[] = [];
  stagedBytes = 0;
  /** Up to which size it is known to be durable; what was found at the start may not be. */
  #syncedBytes = -1;
  #crc: number;
  #described: LogState | undefined;

  /**
   * @param sizeBytes its true size: the next append starts there
   * @param known the size of a prefix and its CRC-32
   */
  constructor(files: FileSystem, name: string, sizeBytes: number, known: LogCut) {
    this.path = name;
    this.#files = files;
    this.fd = files.open(name, 'append');
    this.#inode = files.statOpen(this.fd).inode;
    this.#sizeBytes = sizeBytes;
    const view = new LogView(files, [{ fd: this.fd, at: 0, position: 0, sizeBytes }]);
    this.#crc = known.crc;
    for (const chunk of view.chunks(known.sizeBytes)) this.#crc = crc32(chunk, this.#crc);
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Adds bytes for `write` to write; until then, only `staged` has them. */
  stage(parts: readonly Uint8Array[]): void {
    for (const part of parts) {
      this.#staged.push(part);
      this.stagedBytes += part.byteLength;
    }
  }

  *staged(): Generator<LogPart> {
    let position = this.#sizeBytes;
    for (const bytes of this.#staged) {
      yield { bytes, position, sizeBytes: bytes.byteLength };
      position += bytes.byteLength;
    }
  }

  write(): void {
    for (const part of this.#staged) this.append(part);
    this.#staged.length = 0;
    this.stagedBytes = 0;
  }

  append(bytes: Uint8Array): void {
    if (bytes.byteLength === 0) return;
    this.#files.write(this.fd, bytes, this.#sizeBytes);
    this.#sizeBytes += bytes.byteLength;
    this.#crc = crc32(bytes, this.#crc);
  }

  /** Makes the log durable up to its current end. Does nothing if nothing was added since the last time. */
  async sync(): Promise<void> {
    const sizeBytes = this.#sizeBytes;
    if (sizeBytes === this.#syncedBytes) return;
    await this.#files.sync(this.fd);
    this.#syncedBytes = sizeBytes;
  }

  /** Its size and checksum at this moment. */
  cut(): LogCut {
    return { sizeBytes: this.#sizeBytes, crc: this.#crc };
  }

  /** What a checkpoint records about the log at a cut. */
  describe(cut: LogCut): LogState {
    // A log that did not grow is not read again: the outbox may have many segments.
    if (this.#described?.sizeBytes === cut.sizeBytes) return this.#described;
    return (this.#described = { ...cut, tailCrc: tailCrc(this.#files, this.fd, cut.sizeBytes) });
  }

  /** @throws Failure corrupt_state when another program has replaced, shortened or lengthened the file meanwhile */
  assertOurs(): void {
    const found = this.#files.stat(this.path);
    if (found?.inode === this.#inode && found.sizeBytes === this.#sizeBytes) return;
    throw new Failure(
      'corrupt_state',
      `${this.path} was changed by another program while it was being written`,
      {
        fix: 'stop that program and start again: all decisions since the last checkpoint are still in the journal',
        context: { file: this.path },
      },
    );
  }

  close(): void {
    this.#files.close(this.fd);
  }
}
