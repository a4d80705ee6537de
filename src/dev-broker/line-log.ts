import fs from 'node:fs';
import path from 'node:path';
import { crc32 } from 'node:zlib';

import { makeDirectory } from '../directories.ts';
import { writeAll } from './files.ts';

const NEWLINE = 0x0a;
/** Eight hexadecimal digits and a space. */
const CHECKSUM_BYTES = 9;

/** A log is damaged before its end; nothing in it was changed. */
export class CorruptStateError extends Error {
  override readonly name = 'CorruptStateError';
}

/**
 * An append-only file of JSON values, one a line after the CRC-32 of its bytes: a crash leaves a whole line or none,
 * and the file can be read without tools. A line is in the page cache when `append` returns, where a kill -9 does not
 * reach it; `sync` brings all lines to the disk.
 */
export class LineLog {
  readonly file: string;
  #fd: number;
  #sizeBytes = 0;
  /** Whether the file's name in its directory is durable. */
  #isNamed: boolean;

  /**
   * Opens or creates the file and passes its entries to `onEntry`, the oldest first. An unfinished write at the end,
   * which was never acknowledged, is cut off.
   *
   * @throws CorruptStateError when a line is damaged and a whole one follows
   */
  constructor(file: string, onEntry: (entry: unknown) => void) {
    this.file = file;
    makeDirectory(path.dirname(file));
    this.#isNamed = fs.existsSync(file);
    this.#fd = fs.openSync(file, fs.constants.O_RDWR | fs.constants.O_CREAT);
    try {
      this.#load(onEntry);
    } catch (error) {
      fs.closeSync(this.#fd);
      throw error;
    }
  }

  /** A write that fails half-way is overwritten by the next one. */
  append(entry: unknown): void {
    const line = encode(entry);
    writeAll(this.#fd, line, this.#sizeBytes);
    this.#sizeBytes += line.length;
  }

  /** Replaces all entries. A crash leaves the old ones or the new ones. */
  replaceWith(entries: Iterable<unknown>): void {
    const fresh = `${this.file}.new`;
    const fd = fs.openSync(fresh, 'w+');
    let sizeBytes = 0;
    for (const entry of entries) {
      const line = encode(entry);
      writeAll(fd, line, sizeBytes);
      sizeBytes += line.length;
    }
    fs.fdatasyncSync(fd);
    fs.renameSync(fresh, this.file);
    fs.closeSync(this.#fd);
    this.#fd = fd;
    this.#sizeBytes = sizeBytes;
  }

  sync(): void {
    fs.fdatasyncSync(this.#fd);
    if (this.#isNamed) return;
    const folder = fs.openSync(path.dirname(this.file), 'r');
    try {
      fs.fsyncSync(folder);
    } finally {
      fs.closeSync(folder);
    }
    this.#isNamed = true;
  }

  close(): void {
    fs.closeSync(this.#fd);
  }

  #load(onEntry: (entry: unknown) => void): void {
    const bytes = fs.readFileSync(this.file);
    let damagedLine = 0;
    for (let start = 0, line = 1; start < bytes.length; line += 1) {
      const newline = bytes.indexOf(NEWLINE, start);
      const end = newline === -1 ? bytes.length : newline + 1;
      const json = newline === -1 ? undefined : verified(bytes.subarray(start, newline));
      start = end;
      if (json === undefined) damagedLine ||= line;
      else if (damagedLine > 0) {
        throw new CorruptStateError(
          `${this.file}:${damagedLine} is damaged (its checksum does not match): ` +
            'restore the folder from a backup, or delete it to start from scratch',
        );
      } else {
        onEntry(JSON.parse(json));
        this.#sizeBytes = end;
      }
    }
    if (damagedLine > 0) fs.ftruncateSync(this.#fd, this.#sizeBytes);
  }
}

function encode(entry: unknown): Buffer {
  const json = JSON.stringify(entry);
  return Buffer.from(`${checksum(json)} ${json}\n`);
}

/** @returns the JSON of a line whose checksum matches */
function verified(line: Buffer): string | undefined {
  const json = line.subarray(CHECKSUM_BYTES);
  const matches = line.toString('latin1', 0, CHECKSUM_BYTES) === `${checksum(json)} `;
  return matches ? json.toString('utf8') : undefined;
}

function checksum(json: Buffer | string): string {
  return crc32(json).toString(16).padStart(8, '0');
}
