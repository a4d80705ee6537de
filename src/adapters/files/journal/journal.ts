import { crc32 } from 'node:zlib';
import type { FileSystem } from '../fs.ts';

/*
 * The journal makes a commit durable. It handles bytes only.
 *
 *   file   = record, record, …          the first, empty, is the opening record, written and synced with the file
 *   record = header (28 bytes), payload, mark (16 bytes)
 *   header = magic 4 · payload length 4 · seq 8 · CRC of the previous record's header 4 · CRC of the payload 4 ·
 *            CRC of these 24 bytes 4
 *   mark   = magic 4 · header CRC of the record it follows 4 · low 4 bytes of its seq · CRC of these 12 bytes 4
 *
 * A commit is: write header and payload, fdatasync (that is the commit point), write the mark. The next record is
 * written only then, so at most one record is ever unsynced. Hence, when a record does not check out:
 *
 *   - nothing valid follows it: power failed while it was being written. It was never acknowledged: ignore it.
 *   - its own mark or a later record is valid: it had been synced, so something damaged it. Refuse.
 *
 * The mark itself is never synced; when it is lost with the power, only that second test becomes weaker. Records
 * are chained by the CRC of the header before, across files too, so that none can be left out or come from
 * another folder. Numbers are little-endian. The magics hold the byte 0xFF, which no UTF-8 text contains, so
 * that no payload of text can look like a record.
 */

const RECORD_MAGIC = Buffer.from([0xff, 0x4f, 0x52, 0x01]);
const MARK_MAGIC = Buffer.from([0xff, 0x4f, 0x4d, 0x01]);
const HEADER_BYTES = 28;
const MARK_BYTES = 16;
const SCAN_CHUNK_BYTES = 1 << 20;

/** The end of a journal: what the next record is chained to. */
export interface JournalEnd {
  /** The number of the last record. */
  readonly seq: number;
  /** The CRC of its header. */
  readonly chain: number;
  /** Where the next record will be written. */
  readonly sizeBytes: number;
}

export interface ScannedRecord {
  readonly seq: number;
  /** The CRC of the previous record's header, as this record has it. */
  readonly previous: number;
  readonly payload: Buffer;
  /** Byte position of the payload in its file. */
  readonly payloadAt: number;
}

export type ScanResult =
  | {
      readonly kind: 'ok';
      readonly end: JournalEnd;
      /** Bytes of an unfinished record follow the end. */
      readonly torn: boolean;
    }
  /** No valid record at all: power failed while the file was being created. */
  | { readonly kind: 'empty' }
  /** A synced record is damaged at this byte position. */
  | { readonly kind: 'damaged'; readonly position: number };

/** One journal file, open for appending by the folder's owner. */
export class Journal {
  readonly path: string;
  readonly number: number;
  readonly #files: FileSystem;
  readonly #fd: number;
  readonly #inode: bigint;
  #end: JournalEnd;
  /** The size of the record that is being written. */
  #underWayBytes = 0;

  private constructor(files: FileSystem, path: string, number: number, fd: number, end: JournalEnd) {
    this.#files = files;
    this.path = path;
    this.number = number;
    this.#fd = fd;
    this.#inode = files.statOpen(fd).inode;
    this.#end = end;
  }

  /**
   * Creates journal `number` with its opening record, which is chained to `after`. The file is durable when this
   * resolves; its name only when the caller has synced the directory.
   */
  static async create(
    files: FileSystem,
    path: string,
    number: number,
    after: { readonly seq: number; readonly chain: number },
  ): Promise<Journal> {
    const fd = files.open(path, 'create');
    const journal = new Journal(files, path, number, fd, {
      seq: after.seq,
      chain: after.chain,
      sizeBytes: 0,
    });
    try {
      await journal.commit([]);
    } catch (error) {
      journal.close();
      throw error;
    }
    return journal;
  }

  /** Opens a scanned journal to continue after its last record. */
  static open(
    files: FileSystem,
    path: string,
    { number, end }: { readonly number: number; readonly end: JournalEnd },
  ): Journal {
    return new Journal(files, path, number, files.open(path, 'append'), end);
  }

  get end(): JournalEnd {
    return this.#end;
  }

  /**
   * Whether the file is as this process left it, apart from a record that is being written. If another owner has
   * appended to it or replaced it, which ownership should prevent, nothing more may be written.
   */
  isOurs(): boolean {
    const found = this.#files.stat(this.path);
    if (found?.inode !== this.#inode) return false;
    const newBytes = found.sizeBytes - this.#end.sizeBytes;
    return newBytes >= 0 && newBytes <= this.#underWayBytes;
  }

  /** Appends one record made of `parts`; durable when this resolves. */
  async commit(parts: readonly Uint8Array[]): Promise<void> {
    let payloadCrc = 0;
    let payloadBytes = 0;
    for (const part of parts) {
      payloadCrc = crc32(part, payloadCrc);
      payloadBytes += part.byteLength;
    }
    const seq = this.#end.seq + 1;
    const header = Buffer.alloc(HEADER_BYTES);
    RECORD_MAGIC.copy(header, 0);
    header.writeUInt32LE(payloadBytes, 4);
    header.writeDoubleLE(seq, 8);
    header.writeUInt32LE(this.#end.chain, 16);
    header.writeUInt32LE(payloadCrc, 20);
    const chain = crc32(header.subarray(0, 24));
    header.writeUInt32LE(chain, 24);

    this.#underWayBytes = HEADER_BYTES + payloadBytes + MARK_BYTES;
    await this.#files.writeAll(this.#fd, [header, ...parts], this.#end.sizeBytes);
    await this.#files.datasync(this.#fd);
    const at = this.#end.sizeBytes + HEADER_BYTES + payloadBytes;
    this.#files.write(this.#fd, encodeMark(seq, chain), at);
    this.#end = { seq, chain, sizeBytes: at + MARK_BYTES };
    this.#underWayBytes = 0;
  }

  close(): void {
    this.#files.close(this.#fd);
  }
}

function encodeMark(seq: number, chain: number): Buffer {
  const mark = Buffer.alloc(MARK_BYTES);
  MARK_MAGIC.copy(mark, 0);
  mark.writeUInt32LE(chain, 4);
  mark.writeUInt32LE(seq % 2 ** 32, 8);
  mark.writeUInt32LE(crc32(mark.subarray(0, 12)), 12);
  return mark;
}

interface Header {
  readonly payloadBytes: number;
  readonly seq: number;
  readonly previous: number;
  readonly payloadCrc: number;
  readonly chain: number;
}

function decodeHeader(bytes: Buffer): Header | undefined {
  if (bytes.byteLength < HEADER_BYTES || !bytes.subarray(0, 4).equals(RECORD_MAGIC)) return undefined;
  const chain = bytes.readUInt32LE(24);
  if (crc32(bytes.subarray(0, 24)) !== chain) return undefined;
  return {
    payloadBytes: bytes.readUInt32LE(4),
    seq: bytes.readDoubleLE(8),
    previous: bytes.readUInt32LE(16),
    payloadCrc: bytes.readUInt32LE(20),
    chain,
  };
}

/**
 * Reads a journal from its start, or from `from` on, and passes each valid record to `onRecord`, in order. Changes
 * nothing, so that readers may use it while the owner runs and perhaps writes a last record.
 *
 * @param onRecord may use `payload` only until it returns
 */
export function scanJournal(
  files: FileSystem,
  fd: number,
  onRecord: (record: ScannedRecord) => void,
  from?: JournalEnd,
): ScanResult {
  const sizeBytes = files.statOpen(fd).sizeBytes;
  const headerBytes = Buffer.alloc(HEADER_BYTES);
  let payload = Buffer.alloc(64 * 1024);
  let end = from;
  let at = from?.sizeBytes ?? 0;
  while (at < sizeBytes) {
    const header = decodeHeader(headerBytes.subarray(0, files.read(fd, headerBytes, at)));
    if (header === undefined) break;
    if (end !== undefined && (header.seq !== end.seq + 1 || header.previous !== end.chain)) break;
    const payloadAt = at + HEADER_BYTES;
    if (payloadAt + header.payloadBytes > sizeBytes) break;
    if (payload.byteLength < header.payloadBytes) payload = Buffer.allocUnsafe(header.payloadBytes * 2);
    const found = payload.subarray(0, header.payloadBytes);
    if (files.read(fd, found, payloadAt) < found.byteLength || crc32(found) !== header.payloadCrc) break;
    onRecord({ seq: header.seq, previous: header.previous, payload: found, payloadAt });
    at = payloadAt + header.payloadBytes + MARK_BYTES;
    end = { seq: header.seq, chain: header.chain, sizeBytes: at };
  }
  if (at < sizeBytes && holdsSyncedBytes(files, fd, at, sizeBytes)) return { kind: 'damaged', position: at };
  if (end === undefined) return { kind: 'empty' };
  return { kind: 'ok', end, torn: sizeBytes !== end.sizeBytes };
}

/** Whether a valid record header or mark exists anywhere from `from` on: proof that the bytes at `from` were synced. */
function holdsSyncedBytes(files: FileSystem, fd: number, from: number, sizeBytes: number): boolean {
  const overlap = HEADER_BYTES - 1;
  const chunk = Buffer.allocUnsafe(SCAN_CHUNK_BYTES + overlap);
  for (let at = from; at < sizeBytes; at += SCAN_CHUNK_BYTES) {
    // Not beyond `sizeBytes`: while a reader scans, the owner may have finished that record.
    const wanted = chunk.subarray(0, Math.min(chunk.byteLength, sizeBytes - at));
    const bytes = wanted.subarray(0, files.read(fd, wanted, at));
    for (let found = bytes.indexOf(0xff); found !== -1; found = bytes.indexOf(0xff, found + 1)) {
      // The bad record's own header may be whole. That proves nothing, since its payload may be torn.
      const isOwnHeader = at + found === from;
      if (!isOwnHeader && decodeHeader(bytes.subarray(found, found + HEADER_BYTES)) !== undefined)
        return true;
      if (isMark(bytes.subarray(found, found + MARK_BYTES))) return true;
    }
  }
  return false;
}

function isMark(bytes: Buffer): boolean {
  return (
    bytes.byteLength === MARK_BYTES &&
    bytes.subarray(0, 4).equals(MARK_MAGIC) &&
    crc32(bytes.subarray(0, 12)) === bytes.readUInt32LE(12)
  );
}
