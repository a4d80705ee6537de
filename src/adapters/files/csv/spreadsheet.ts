import { isUtf8 } from 'node:buffer';
import { createRequire } from 'node:module';
import type * as CsvParse from 'csv-parse/sync';
import { Failure } from '../../../domain/failure.ts';
import type { Sheet } from '../../../ports/sheet.ts';
import { BYTE_ORDER_MARK } from './records.ts';

/*
 * Reads what spreadsheets export. Unlike the reader of our own files it may guess: a list is imported once, on purpose,
 * and the user sees the result.
 */

const SEPARATORS = [',', ';', '\t', '|'] as const;

const require = createRequire(import.meta.url);

/** @throws Failure invalid_input */
export function parseSpreadsheet(bytes: Buffer, file: string): Sheet {
  const text = decoded(bytes);
  // Excel's own first line, which names the separator.
  const [, named] = /^"?sep=(.)"?(?:\r\n|\n|\r)/i.exec(text) ?? [];
  const delimiter = named ?? separatorOf(text);
  const records = recordsOf(text, delimiter, file).filter(({ cells }) =>
    cells.some((cell) => cell.trim() !== ''),
  );
  const [header, ...rows] = named === undefined ? records : records.slice(1);
  if (header === undefined) {
    throw new Failure('invalid_input', `${file} is empty`, {
      fix: 'pass a file with a list: a row with the names of its columns, then a row for each entry',
      context: { file },
    });
  }
  const columns = header.cells.map((cell) => cell.trim());
  return { file, line: header.line, header: columns, rows, hasDecimalComma: delimiter !== ',' };
}

/** Excel saves "Unicode text" as UTF-16, and "CSV" in the code page of western Windows. */
function decoded(bytes: Buffer): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  const text = isUtf8(bytes) ? bytes.toString('utf8') : new TextDecoder('windows-1252').decode(bytes);
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(BYTE_ORDER_MARK.length) : text;
}

/** The separator that occurs most often in the header, outside quotes. */
function separatorOf(text: string): string {
  const [header = ''] = text
    .replaceAll(/"[^"]*"/g, '')
    .split(/[\r\n]+/)
    .filter((line) => line.trim() !== '');
  const counts = SEPARATORS.map((mark) => header.split(mark).length);
  return SEPARATORS[counts.indexOf(Math.max(...counts))] ?? ',';
}

function recordsOf(text: string, delimiter: string, file: string): Sheet['rows'] {
  const { parse } = require('csv-parse/sync') as typeof CsvParse;
  const options = { delimiter, relax_column_count: true, record_delimiter: ['\r\n', '\n', '\r'] };
  try {
    let line = 1;
    return parse(text, options).map((record: string[]) => {
      const begin = line;
      // A cell may hold line breaks.
      line += 1 + record.join('').split(/\r\n|\n|\r/).length - 1;
      return { line: begin, cells: record };
    });
  } catch (error) {
    const { message = String(error), lines = 1 } = error as { message?: string; lines?: number };
    throw new Failure('invalid_input', `${file}:${lines}: ${message.replace(/ at line \d+.*/, '')}`, {
      fix: 'close every " that opens a cell, and write " inside it as ""',
      context: { file, line: lines },
    });
  }
}
