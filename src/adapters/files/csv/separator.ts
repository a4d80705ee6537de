/*
 * In many countries spreadsheets separate cells with semicolons. Such a file is refused, since a hand edit must not
 * depend on a guess at the separator; but the message says what is wrong.
 */

const OTHERS = { semicolons: ';', tabs: '\t', bars: '|' } as const;

export const SEPARATE_BY_COMMAS =
  'save it with commas between cells: in LibreOffice tick "Edit filter settings" and choose , as the field ' +
  'delimiter; Excel uses the list separator of the region set in the system';

/** @returns what separates the cells of a line, such as `semicolons`; undefined: commas, or nothing does */
export function otherSeparator(line: string): string | undefined {
  if (cellCount(line, ',') > 1) return undefined;
  let most = 1;
  let found: string | undefined;
  for (const [name, mark] of Object.entries(OTHERS)) {
    const count = cellCount(line, mark);
    if (count <= most) continue;
    most = count;
    found = name;
  }
  return found;
}

/** Separators inside quotes do not count. */
function cellCount(line: string, mark: string): number {
  let count = 1;
  let isQuoted = false;
  for (const character of line) {
    if (character === '"') isQuoted = !isQuoted;
    else if (character === mark && !isQuoted) count += 1;
  }
  return count;
}

/** The first line that is not blank, without a byte order mark, and its number from 1. */
export function firstLine(text: string): { text: string; number: number } {
  const lines = text.replace(/^\ufeff/, '').split(/\r\n|\n|\r/);
  const at = lines.findIndex((line) => /[^,\s]/.test(line));
  return { text: lines[at] ?? '', number: at + 1 };
}
