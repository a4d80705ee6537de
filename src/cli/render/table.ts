import Table from 'cli-table3';

export interface Column<Row> {
  readonly title: string;
  readonly align?: 'left' | 'right';
  readonly cell: (row: Row) => string;
}

/** Rows to a write: a reader such as `head` gets the first without waiting for the last. */
const CHUNK_ROWS = 1_000;
const GAP = '  ';
const NARROWEST = 6;
const BORDERLESS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: GAP,
};

export interface TableOptions {
  /** Columns of the terminal; null does not shorten anything. */
  readonly width: number | null;
  readonly title: (text: string) => string;
}

/** A borderless table, chunk by chunk; cells are shortened with … when a terminal is too narrow. */
export function* renderTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  { width, title }: TableOptions,
): Generator<string> {
  const widths = columns.map((column) => column.title.length);
  for (const row of rows) {
    columns.forEach((column, i) => {
      const length = displayWidth(column.cell(row));
      if (length > (widths[i] ?? 0)) widths[i] = length;
    });
  }
  if (width !== null) shrink(widths, width);
  const draw = (lines: string[][]): string => {
    const table = new Table({
      chars: BORDERLESS,
      style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
      colWidths: widths,
      colAligns: columns.map((column) => column.align ?? 'left'),
    });
    table.push(...lines);
    return `${table.toString().replaceAll(/ +$/gm, '')}\n`;
  };
  yield draw([columns.map((column) => title(column.title))]);
  for (let from = 0; from < rows.length; from += CHUNK_ROWS) {
    const chunk = rows.slice(from, from + CHUNK_ROWS);
    yield draw(chunk.map((row) => columns.map((column) => column.cell(row))));
  }
}

/** Takes from the widest column until all fit. */
function shrink(widths: number[], limit: number): void {
  const total = (): number =>
    widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1);
  while (total() > limit) {
    const widest = widths.indexOf(Math.max(...widths));
    const width = widths[widest] ?? 0;
    if (width <= NARROWEST) return;
    widths[widest] = width - 1;
  }
}

// eslint-disable-next-line no-control-regex -- the escape that begins a colour
const COLOUR = /\u001B\[\d+(?:;\d+)*m/g;

/** Most cells are plain ASCII, where the number of characters is the width. */
function displayWidth(text: string): number {
  const bare = text.replaceAll(COLOUR, '');
  if (/^[\x20-\x7E]*$/.test(bare)) return bare.length;
  let width = 0;
  for (const character of bare)
    width +=
      /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|\p{Emoji_Presentation}/u.test(
        character,
      )
        ? 2
        : 1;
  return width;
}
