import { wrapped } from './text.ts';

export interface Column<Row> {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** Never shortened: half an id is useless. */
  readonly isWhole?: boolean;
  /** Shortened in the middle: ids differ at their ends. */
  readonly keepsEnds?: boolean;
  /** Continues in the next line instead of being shortened. */
  readonly wraps?: boolean;
  readonly cell: (row: Row) => string;
}

/** Rows per write: a reader such as `head` gets the first ones without waiting for the last. */
const CHUNK_ROWS = 1_000;
const GAP = '  ';
const NARROWEST = 6;
/** Wrapped columns can be this narrow, since wrapping loses no text. */
const NARROWEST_WRAPPED = 16;

export interface TableOptions {
  /** Columns of the terminal; null: nothing is shortened. */
  readonly width: number | null;
  /** Colours a title without changing its width. */
  readonly title: (text: string) => string;
  /** The width of a text in columns; absent if all cells and titles are plain ASCII. */
  readonly widthOf?: ((text: string) => number) | undefined;
}

/** The width of each column's widest text. */
function widest<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  widthOf: (text: string) => number,
): number[] {
  const widths = columns.map((column) => widthOf(column.title));
  for (const row of rows) {
    columns.forEach((column, i) => {
      const length = widthOf(column.cell(row));
      if (length > (widths[i] ?? 0)) widths[i] = length;
    });
  }
  return widths;
}

/** Whether all text is ASCII without colours; otherwise its width is not its length. */
export function isPlain<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): boolean {
  return (
    columns.every(({ title }) => PLAIN.test(title)) &&
    rows.every((row) => columns.every((column) => PLAIN.test(column.cell(row))))
  );
}

/** The width of a table when nothing is shortened. */
export function tableWidth<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  widthOf: (text: string) => number = (text) => text.length,
): number {
  return total(widest(rows, columns, widthOf));
}

function total(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1);
}

/** Renders a table without borders, chunk by chunk; cells are shortened with … on a terminal that is too narrow. */
export function* renderTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  { width, title, widthOf = (text) => text.length }: TableOptions,
): Generator<string> {
  const widths = widest(rows, columns, widthOf);
  if (width !== null) {
    const shrinkable = columns.flatMap(({ isWhole }, i) => (isWhole === true ? [] : [i]));
    const wrapping = shrinkable.filter((i) => columns[i]?.wraps === true);
    shrink(widths, wrapping, { limit: width, least: NARROWEST_WRAPPED });
    shrink(widths, shrinkable, { limit: width, least: NARROWEST });
  }
  const drawLine = (cells: readonly string[], paint: (text: string) => string = (text) => text): string => {
    const drawn = cells.map((text, i) => {
      const { shown, padding } = fit(text, widths[i] ?? 0, widthOf, columns[i]?.keepsEnds);
      return columns[i]?.align === 'right' ? padding + paint(shown) : paint(shown) + padding;
    });
    return `${drawn.join(GAP).trimEnd()}\n`;
  };
  const draw = (cells: readonly string[]): string => {
    const broken = cells.map((text, i) => {
      return columns[i]?.wraps === true ? inLines(text, widths[i] ?? 0, widthOf) : [text];
    });
    const lines = Array.from({ length: Math.max(...broken.map(({ length }) => length)) }, (_, line) =>
      drawLine(broken.map((texts) => texts[line] ?? '')),
    );
    return lines.join('');
  };
  // Titles are coloured only after fitting, which needs plain text.
  yield drawLine(
    columns.map((column) => column.title),
    title,
  );
  for (let from = 0; from < rows.length; from += CHUNK_ROWS) {
    let chunk = '';
    for (let at = from; at < Math.min(from + CHUNK_ROWS, rows.length); at++) {
      const row = rows[at];
      if (row !== undefined) chunk += draw(columns.map((column) => column.cell(row)));
    }
    yield chunk;
  }
}

/** Breaks a text between words where it has spaces. Wide characters count as two columns. */
function inLines(text: string, width: number, widthOf: (text: string) => number): readonly string[] {
  if (widthOf(text) <= width) return [text];
  const lines = wrapped(text, { width, indent: 0, isCut: true });
  if (lines.every((line) => widthOf(line) <= width)) return lines;
  return wrapped(text, { width: Math.max(1, Math.floor(width / 2)), indent: 0, isCut: true });
}

/** Narrows the widest shrinkable column until the table fits or no column can shrink further. */
function shrink(
  widths: number[],
  shrinkable: readonly number[],
  { limit, least }: { limit: number; least: number },
): void {
  while (total(widths) > limit) {
    const widest = Math.max(...shrinkable.map((i) => widths[i] ?? 0));
    const column = shrinkable.find((i) => widths[i] === widest);
    if (column === undefined || widest <= least) return;
    widths[column] = widest - 1;
  }
}

function fit(
  text: string,
  width: number,
  widthOf: (text: string) => number,
  keepsEnds = false,
): { readonly shown: string; readonly padding: string } {
  const missing = width - widthOf(text);
  if (missing >= 0) return { shown: text, padding: ' '.repeat(missing) };
  return { shown: (keepsEnds ? shortenMiddle : shorten)(text, width, widthOf), padding: '' };
}

/** Keeps a little more of the end, where random ids differ. */
function shortenMiddle(text: string, width: number, widthOf: (text: string) => number): string {
  const characters = [...coloursAndCharacters(text)];
  const head = fitting(characters, Math.floor((width - 1) / 2), widthOf);
  const tail = fitting([...characters].reverse(), Math.ceil((width - 1) / 2), widthOf).reverse();
  const short = `${head.join('')}…${tail.join('')}`;
  return short + ' '.repeat(width - widthOf(short));
}

function fitting(characters: readonly string[], room: number, widthOf: (text: string) => number): string[] {
  let taken = 0;
  const end = characters.findIndex((character) => (taken += widthOf(character)) > room);
  return characters.slice(0, end);
}

/** Colour codes have no width, and all are kept so that colours end where they should. */
function shorten(text: string, width: number, widthOf: (text: string) => number): string {
  let kept = '';
  let room = width - 1;
  let isCut = false;
  for (const part of coloursAndCharacters(text)) {
    if (part.startsWith('\u001B[')) kept += part;
    else if (!isCut) {
      const taken = widthOf(part);
      isCut = taken > room;
      kept += isCut ? `…${' '.repeat(room)}` : part;
      room -= taken;
    }
  }
  return kept;
}

/** Grapheme clusters (a letter with its accents, a whole emoji) and colour codes. */
function* coloursAndCharacters(text: string): Generator<string> {
  for (const part of text.split(COLOUR)) {
    if (part.startsWith('\u001B[')) yield part;
    else if (PLAIN.test(part)) yield* part;
    else for (const { segment } of new Intl.Segmenter().segment(part)) yield segment;
  }
}

// eslint-disable-next-line no-control-regex -- the escape that begins a colour
const COLOUR = /(\u001B\[\d+(?:;\d+)*m)/;
const PLAIN = /^[\x20-\x7E]*$/;
