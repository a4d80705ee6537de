import { createHash } from 'node:crypto';
import { open, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { makeDirectory, syncNameOf } from '../../../directories.ts';
import { Failure } from '../../../domain/failure.ts';
import { isSystemError, systemFailure } from '../../../domain/system-failure.ts';
import type { Queries } from '../lasting.ts';
import { decidedOf, type DecisionRow } from '../rows/decisions.ts';

/*
 * A file of archived orders: one row of `orderctl.orders` per line, as JSON, with its order lines, in the order of
 * history. Its name has the commits that it contains, and it counts only once the database lists it.
 */

/** Lines that are parsed at a time. */
const CHUNK_LINES = 2_000;

/** An archive, as in its row. */
export interface Archive {
  readonly number: number;
  readonly file: string;
  readonly sha256: string;
  readonly accepted: number;
  readonly rejected: number;
  readonly last_seq: number;
  /** Milliseconds since the epoch: no order in it is newer. */
  readonly last_decided_at: number;
}

/** All archives, in the order of history. */
export function archivesOf(connection: Queries): Promise<Archive[]> {
  return connection.query<Archive>(
    `SELECT number, file, sha256, accepted, rejected, last_seq, last_decided_at FROM orderctl.archives ORDER BY number`,
  );
}

/** @returns the line, without the line break */
function lineOf({ lines, traceparent = null, ...row }: DecisionRow): string {
  const items = (lines ?? []).map(([item, quantity, unit_price = null, stock = null]) => {
    return { item, quantity, unit_price, stock };
  });
  return JSON.stringify({ ...row, ...(traceparent === null ? {} : { traceparent }), lines: items });
}

interface WrittenLine extends Omit<DecisionRow, 'lines'> {
  readonly lines: readonly {
    readonly item: string;
    readonly quantity: number | string;
    readonly unit_price: string | null;
    readonly stock: number | null;
  }[];
}

function rowOf(line: string): DecisionRow {
  const { lines, ...row } = JSON.parse(line) as WrittenLine;
  return {
    ...row,
    lines: lines.map(({ item, quantity, unit_price, stock }) => [item, quantity, unit_price, stock] as const),
  };
}

/** Creates the folder of the archive if it is missing; durable when this resolves. @throws Failure write_failed */
export async function makeArchiveFolder(folder: string): Promise<void> {
  try {
    makeDirectory(folder);
    await syncNameOf(folder, syncFolder);
  } catch (error) {
    throw ofSystem(error, 'write', folder);
  }
}

/**
 * Writes a file of the archive; durable when this resolves. A file that a crash has left there is accepted if it has
 * the same content.
 *
 * @returns the SHA-256 of its content, in hexadecimal
 * @throws Failure already_exists (a file with other content), write_failed
 */
export async function writeArchive(
  file: string,
  rows: AsyncIterable<readonly DecisionRow[]>,
): Promise<string> {
  const temporary = `${file}.tmp`;
  const hash = createHash('sha256');
  try {
    const handle = await open(temporary, 'w');
    try {
      for await (const some of rows) {
        const text = some.map((row) => `${lineOf(row)}\n`).join('');
        hash.update(text);
        await handle.writeFile(text);
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    const sha256 = hash.digest('hex');
    await refuseOther(file, sha256);
    await rename(temporary, file);
    await syncFolder(path.dirname(file));
    return sha256;
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw ofSystem(error, 'write', file);
  }
}

async function refuseOther(file: string, sha256: string): Promise<void> {
  const existing = await readFile(file).catch((error: unknown) => {
    if (isMissing(error)) return null;
    throw error;
  });
  if (existing === null || sha256Of(existing) === sha256) return;
  throw new Failure('already_exists', `${file} already exists, with other orders`, {
    fix: { kind: 'other_archives' },
    context: { file },
  });
}

/**
 * Renames files that interrupted runs have left beside a file that the database lists now. They start with the same
 * orders but end elsewhere, since those runs had another time limit. They are kept, because a copy of the database
 * may list one.
 *
 * @param start how their names start
 */
export async function setLeftoversAside(file: string, start: string): Promise<void> {
  const folder = path.dirname(file);
  const isLeftover = (name: string): boolean =>
    name.startsWith(start) && name.endsWith('.jsonl') && name !== path.basename(file);
  try {
    const names = (await readdir(folder)).filter(isLeftover);
    if (names.length === 0) return;
    const first = await firstLine(file);
    for (const name of names) {
      const other = path.join(folder, name);
      // A file of another store starts with another order.
      if ((await firstLine(other)) === first) await rename(other, `${other}.leftover`);
    }
  } catch (error) {
    throw ofSystem(error, 'write', file);
  }
}

async function firstLine(file: string): Promise<string | null> {
  const handle = await open(file);
  try {
    for await (const line of handle.readLines({ autoClose: false })) return line;
    return null;
  } finally {
    await handle.close();
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The archives of a store, in the folder that the user gave. */
export class ArchiveFiles {
  readonly #folder: string;
  readonly #archives: readonly Archive[];

  constructor(folder: string, archives: readonly Archive[]) {
    this.#folder = folder;
    this.#archives = archives;
  }

  /** Rows in the order of history. @param afterSeq only those of later commits */
  async *rows(afterSeq = -1): AsyncGenerator<readonly DecisionRow[]> {
    for (const archive of this.#archives) {
      if (archive.last_seq <= afterSeq) continue;
      const lines = await this.#lines(archive);
      for (let at = 0; at < lines.length; at += CHUNK_LINES) {
        const rows = lines.slice(at, at + CHUNK_LINES).map(rowOf);
        yield rows.filter(({ seq }) => seq > afterSeq);
      }
    }
  }

  /** Rows from the last one backwards. */
  async *rowsFromEnd(): AsyncGenerator<readonly DecisionRow[]> {
    for (const archive of [...this.#archives].reverse()) {
      const lines = (await this.#lines(archive)).reverse();
      for (let at = 0; at < lines.length; at += CHUNK_LINES)
        yield lines.slice(at, at + CHUNK_LINES).map(rowOf);
    }
  }

  /** Finds an order by reading the file that has it. */
  async decided(orderId: string, number: number) {
    const archive = this.#archives.find((one) => one.number === number);
    if (archive === undefined) return undefined;
    const start = `{"order_id":${JSON.stringify(orderId)},`;
    const line = (await this.#lines(archive)).find((one) => one.startsWith(start));
    return line === undefined ? undefined : decidedOf(rowOf(line));
  }

  /**
   * Reads the whole file, whose size MOST_ORDERS of move.ts limits. A file that differs from what was written is
   * refused.
   */
  async #lines({ file: name, sha256 }: Archive): Promise<string[]> {
    const file = path.join(this.#folder, name);
    let content: Buffer;
    try {
      content = await readFile(file);
    } catch (error) {
      if (!isMissing(error)) throw ofSystem(error, 'read', file);
      throw new Failure('not_found', `${file} does not exist; it has archived orders of this store`, {
        fix: { kind: 'name_archives' },
        context: { file },
      });
    }
    if (sha256Of(content) !== sha256) {
      throw new Failure('corrupt_file', `${file} is not what "store archive" wrote: its checksum differs`, {
        fix: 'restore it from a backup',
        context: { file },
      });
    }
    return content.toString('utf8').split('\n').slice(0, -1);
  }
}

function sha256Of(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Translates errors of the operating system; all others stay as they are. */
function ofSystem(error: unknown, doing: 'read' | 'write', file: string): unknown {
  return isSystemError(error) ? systemFailure(error, { doing, file }) : error;
}

function isMissing(error: unknown): boolean {
  return isSystemError(error) && error.code === 'ENOENT';
}
