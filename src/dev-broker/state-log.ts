import fs from 'node:fs';
import path from 'node:path';
import { crc32 } from 'node:zlib';

/** A change of one key; without a value the key is gone. */
export type Change<V> = readonly [key: string, value: V] | readonly [key: string];

/** The file is written anew once it holds this many changes more than twice its keys. */
const SLACK_CHANGES = 1000;

/** The file of a `StateLog` is not what was written; nothing was changed in it. */
export class CorruptStateError extends Error {
  override readonly name = 'CorruptStateError';
}

/**
 * A small map that outlives the process: kept in memory, every change appended to a file. One line is one atomic
 * set of changes, `CRC32 JSON`, so a person can read it. A line is in the page cache when `write` returns, which a
 * kill -9 does not take back; `sync` and `close` bring it to the disk.
 */
export class StateLog<V> implements Iterable<[string, V]> {
  readonly #file: string;
  readonly #values = new Map<string, V>();
  #fd: number;
  #sizeBytes = 0;
  #changes = 0;

  /**
   * Opens or creates the file. A torn last line, which was never acknowledged, is cut off.
   *
   * @throws CorruptStateError when a line in the middle is broken
   */
  constructor(file: string) {
    this.#file = file;
    fs.mkdirSync(path.dirname(file), { recursive: true });
    this.#fd = fs.openSync(file, fs.constants.O_RDWR | fs.constants.O_CREAT);
    try {
      this.#load();
    } catch (error) {
      fs.closeSync(this.#fd);
      throw error;
    }
  }

  get size(): number {
    return this.#values.size;
  }

  get(key: string): V | undefined {
    return this.#values.get(key);
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  keys(): IterableIterator<string> {
    return this.#values.keys();
  }

  [Symbol.iterator](): IterableIterator<[string, V]> {
    return this.#values.entries();
  }

  /** All of the changes or, after a crash, none. Values must be what JSON gives back. */
  write(changes: readonly Change<V>[]): void {
    if (changes.length === 0) return;
    this.#append(encode(changes));
    this.#apply(changes);
    if (this.#changes > 2 * this.#values.size + SLACK_CHANGES) this.#compact();
  }

  set(key: string, value: V): void {
    this.write([[key, value]]);
  }

  delete(key: string): void {
    if (this.#values.has(key)) this.write([[key]]);
  }

  sync(): void {
    fs.fdatasyncSync(this.#fd);
  }

  close(): void {
    this.sync();
    fs.closeSync(this.#fd);
  }

  #apply(changes: readonly Change<V>[]): void {
    this.#changes += changes.length;
    for (const change of changes) {
      if (change.length === 2) this.#values.set(change[0], change[1]);
      else this.#values.delete(change[0]);
    }
  }

  #append(line: Buffer): void {
    writeAll(this.#fd, line, this.#sizeBytes);
    this.#sizeBytes += line.length;
  }

  #load(): void {
    const bytes = fs.readFileSync(this.#file);
    let at = 0;
    for (;;) {
      const newline = bytes.indexOf(0x0a, at);
      if (newline === -1) break;
      const changes = decode<V>(bytes.subarray(at, newline));
      if (changes === undefined) {
        // Only the last write can be torn.
        if (newline + 1 < bytes.length) {
          throw new CorruptStateError(
            `${this.#file} is damaged at byte ${at}: put a backup of the folder back, or delete the folder to begin anew`,
          );
        }
        break;
      }
      this.#apply(changes);
      at = newline + 1;
    }
    if (at < bytes.length) fs.ftruncateSync(this.#fd, at);
    this.#sizeBytes = at;
  }

  #compact(): void {
    const fresh = `${this.#file}.new`;
    const fd = fs.openSync(fresh, 'w+');
    let sizeBytes = 0;
    for (const [key, value] of this.#values) {
      const line = encode([[key, value]]);
      writeAll(fd, line, sizeBytes);
      sizeBytes += line.length;
    }
    fs.fdatasyncSync(fd);
    fs.renameSync(fresh, this.#file);
    fs.closeSync(this.#fd);
    this.#fd = fd;
    this.#sizeBytes = sizeBytes;
    this.#changes = this.#values.size;
  }
}

function encode<V>(changes: readonly Change<V>[]): Buffer {
  const json = JSON.stringify(changes);
  return Buffer.from(`${crc32(json).toString(16).padStart(8, '0')} ${json}\n`);
}

function decode<V>(line: Buffer): readonly Change<V>[] | undefined {
  const json = line.subarray(9);
  if (line.length < 9 || Number.parseInt(line.toString('latin1', 0, 8), 16) !== crc32(json)) return undefined;
  // What bears its checksum was written by `encode`.
  return JSON.parse(json.toString('utf8')) as readonly Change<V>[];
}

function writeAll(fd: number, bytes: Buffer, position: number): void {
  let done = 0;
  while (done < bytes.length) done += fs.writeSync(fd, bytes, done, bytes.length - done, position + done);
}
