import fs from 'node:fs';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { storeFailed } from './errors.ts';

/** The log of the registry holds a damaged entry that is not its last. */
export class DamagedLog extends Error {
  override readonly name = 'DamagedLog';
  readonly file: string;
  /** 1-based. */
  readonly line: number;

  constructor(file: string, line: number) {
    super(
      `${file}:${line} is damaged (its checksum does not match): ` +
        'put a backup of the folder back, or delete the folder to begin anew',
    );
    this.file = file;
    this.line = line;
  }
}

const NEWLINE = 0x0a;
/** Eight hexadecimal digits and a space. */
const CHECKSUM_BYTES = 9;

/**
 * An append-only file of JSON objects, one a line after the CRC-32 of its bytes. An entry is on the disk when `append`
 * returns. Calls are synchronous: an entry is written before anything else can look at what it changes.
 */
export class EventLog {
  readonly #file: string;
  readonly #fd: number;
  #failure: string | null = null;

  private constructor(file: string, fd: number) {
    this.#file = file;
    this.#fd = fd;
  }

  /**
   * Reads what is there. An unfinished write at the end, which was never answered, is cut off.
   *
   * @throws DamagedLog · the errors of node:fs
   */
  static open(file: string): { log: EventLog; events: unknown[] } {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    const isNew = !fs.existsSync(file);
    const fd = fs.openSync(file, 'a+');
    try {
      const { events, sizeBytes, isTorn } = isNew ? EMPTY : scan(file, fs.readFileSync(file));
      if (isTorn) {
        fs.ftruncateSync(fd, sizeBytes);
        fs.fsyncSync(fd);
      }
      if (isNew) syncFolder(path.dirname(file));
      return { log: new EventLog(file, fd), events };
    } catch (error) {
      fs.closeSync(fd);
      throw error;
    }
  }

  /** @throws RegistryError 50001 when it cannot be written; from then on nothing is, until the log is opened again */
  append(event: object): void {
    // What a failed write or sync left in the file is only known after reading it again.
    if (this.#failure !== null) throw storeFailed(this.#failure);
    const json = Buffer.from(JSON.stringify(event));
    const line = Buffer.concat([Buffer.from(`${checksum(json)} `), json, Buffer.of(NEWLINE)]);
    try {
      for (let done = 0; done < line.length;) done += fs.writeSync(this.#fd, line, done);
      fs.fdatasyncSync(this.#fd);
    } catch (error) {
      this.#failure = `${this.#file} could not be written (${(error as Error).message}); restart the registry`;
      throw storeFailed(this.#failure);
    }
  }

  close(): void {
    fs.closeSync(this.#fd);
  }
}

interface Scan {
  readonly events: unknown[];
  /** Up to the end of the last whole entry. */
  readonly sizeBytes: number;
  readonly isTorn: boolean;
}

const EMPTY: Scan = { events: [], sizeBytes: 0, isTorn: false };

function scan(file: string, bytes: Buffer): Scan {
  const events: unknown[] = [];
  let sizeBytes = 0;
  let badLine = 0;
  for (let start = 0, number = 1; start < bytes.length; number += 1) {
    const end = bytes.indexOf(NEWLINE, start);
    const entry = end === -1 ? undefined : entryOf(bytes.subarray(start, end));
    if (entry === undefined) badLine ||= number;
    else if (badLine > 0) throw new DamagedLog(file, badLine);
    else {
      events.push(entry);
      sizeBytes = end + 1;
    }
    start = end === -1 ? bytes.length : end + 1;
  }
  return { events, sizeBytes, isTorn: badLine > 0 };
}

function entryOf(line: Buffer): unknown {
  const json = line.subarray(CHECKSUM_BYTES);
  const isWhole = line.toString('latin1', 0, CHECKSUM_BYTES) === `${checksum(json)} `;
  return isWhole ? JSON.parse(json.toString('utf8')) : undefined;
}

function checksum(bytes: Buffer): string {
  return crc32(bytes).toString(16).padStart(8, '0');
}

/** A new file is there for sure only when its folder is on the disk. */
function syncFolder(folder: string): void {
  const fd = fs.openSync(folder, 'r');
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}
