import { createRequire } from 'node:module';
import type * as CsvParse from 'csv-parse/sync';
import { otherSeparator, SEPARATE_BY_COMMAS } from './separator.ts';
import { Failure } from '../../../domain/failure.ts';

/*
 * The records of a CSV, one by one. Both readers return the same for a text that both can read. An empty line is a
 * record of one empty cell, so that lines can be counted.
 */

/** A file without this byte is plain lines of cells. */
export const QUOTE = 0x22;
const COMMA = 0x2c;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
export const BYTE_ORDER_MARK = '\ufeff';
const MARK_BYTES = Buffer.from(BYTE_ORDER_MARK);
const LINE_BREAK = /\r\n|\n|\r/g;

/**
 * The form of a file apart from its cells. It is kept, because the spreadsheet that wrote the file may read no other.
 */
export interface CsvStyle {
  /** Whether it starts with the byte order mark, by which Excel recognises UTF-8. */
  readonly isMarked: boolean;
  readonly lineEnd: '\n' | '\r\n' | '\r';
}

export const OWN_STYLE: CsvStyle = { isMarked: false, lineEnd: '\n' };

/** Where line endings are mixed, the one of the header counts. */
export function styleOf(bytes: Buffer): CsvStyle {
  let isQuoted = false;
  for (let at = 0; at < bytes.byteLength; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) isQuoted = !isQuoted;
    if (isQuoted || (byte !== LINE_FEED && byte !== CARRIAGE_RETURN)) continue;
    const carriageReturn = bytes[at + 1] === LINE_FEED ? '\r\n' : '\r';
    return { isMarked: isMarked(bytes), lineEnd: byte === LINE_FEED ? '\n' : carriageReturn };
  }
  return { isMarked: isMarked(bytes), lineEnd: OWN_STYLE.lineEnd };
}

function isMarked(bytes: Buffer): boolean {
  return bytes.subarray(0, MARK_BYTES.byteLength).equals(MARK_BYTES);
}

interface Records {
  /** @returns the cells of the next record; undefined at the end */
  next(): readonly string[] | undefined;
  /** The line on which the last record starts, counted from 1. */
  readonly line: number;
}

/** For a text without quotes, as nearly all tables are: the library takes three times as long. */
export class PlainRecords implements Records {
  readonly #bytes: Buffer;
  #at: number;
  line = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#at = isMarked(bytes) ? MARK_BYTES.byteLength : 0;
  }

  next(): readonly string[] | undefined {
    const bytes = this.#bytes;
    const end = bytes.length;
    if (this.#at >= end) return undefined;
    const cells: string[] = [];
    let from = this.#at;
    let isAscii = true;
    for (let at = from; ; at++) {
      const byte = at === end ? LINE_FEED : (bytes[at] ?? LINE_FEED);
      if (byte >= 0x80) isAscii = false;
      if (byte !== COMMA && byte !== LINE_FEED && byte !== CARRIAGE_RETURN) continue;
      cells.push(bytes.toString(isAscii ? 'latin1' : 'utf8', from, at));
      from = at + 1;
      isAscii = true;
      if (byte === COMMA) continue;
      if (byte === CARRIAGE_RETURN && bytes[from] === LINE_FEED) from += 1;
      this.#at = from;
      this.line += 1;
      return cells;
    }
  }
}

const require = createRequire(import.meta.url);

/** For any text. @throws Failure corrupt_file when quotes are unbalanced */
export class QuotedRecords implements Records {
  readonly #records: readonly (readonly string[])[];
  #taken = 0;

  /** @param file its name in messages */
  constructor(bytes: Buffer, file: string) {
    this.#records = parseRecords(bytes, file);
  }

  next(): readonly string[] | undefined {
    return this.#records[this.#taken++];
  }

  get line(): number {
    return lineOf(this.#records, this.#taken - 1);
  }
}

function parseRecords(bytes: Buffer, file: string): readonly string[][] {
  // Loaded only when needed: hardly any table has quotes.
  const { parse } = require('csv-parse/sync') as typeof CsvParse;
  const options = {
    bom: true,
    relax_column_count: true,
    // Editors mix line endings. Where there is no CR, looking for a single delimiter saves a fifth of the time.
    record_delimiter: bytes.includes(CARRIAGE_RETURN) ? ['\r\n', '\n', '\r'] : '\n',
  };
  try {
    return parse(bytes, options);
  } catch (error) {
    const { message = String(error), records = 0 } = error as { message?: string; records?: number };
    // Parsing again up to the broken record finds the line on which it starts.
    const before = records === 0 ? [] : parse(bytes, { ...options, to: records });
    const line = lineOf(before, before.length);
    const separator = otherSeparator(bytes.toString('utf8').split(LINE_BREAK)[line - 1] ?? '');
    if (separator !== undefined) {
      throw corrupt(file, line, `its cells are separated by ${separator}, not commas`, SEPARATE_BY_COMMAS);
    }
    const reason = message.replace(/ at line \d+/, '');
    throw corrupt(file, line, reason, 'close every " that opens a cell, and write " inside it as ""');
  }
}

/** @returns the line on which record `at` starts; a cell may contain line breaks */
function lineOf(records: readonly (readonly string[])[], at: number): number {
  let line = 1;
  for (const cells of records.slice(0, at)) {
    line += 1;
    for (const cell of cells) line += cell.match(LINE_BREAK)?.length ?? 0;
  }
  return line;
}

export function corrupt(file: string, line: number, message: string, fix: string): Failure {
  return new Failure('corrupt_file', `${file}:${line}: ${message}`, { fix, context: { file, line } });
}
