import { wrapped } from './text.ts';

export interface Column<Row> {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** Never shortened: half an id is useless. */
  readonly isWhole?: boolean;
  /** Shortened in the middle: of ids the ends tell which is which. */
  readonly keepsEnds?: boolean;
  /** Goes on in the next line instead of being shortened. */
  readonly wraps?: boolean;
  readonly cell: (row: Row) => string;
}

/** Rows to a write: a reader such as `head` gets the first without waiting for the last. */
const CHUNK_ROWS = 1_000;
const GAP = '  ';
const NARROWEST = 6;
/** Nothing is lost of what goes on in the next line. */
const NARROWEST_WRAPPED = 16;

export interface TableOptions {
  /** Columns of the terminal; null does not shorten anything. */
  readonly width: number | null;
  /** Colours a title, which takes no room. */
  readonly title: (text: string) => string;
  /** Columns that a text takes; without it, cells and titles are plain. */
  readonly widthOf?: ((text: string) => number) | undefined;
}

/** Columns of each column's widest text. */
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

/** Whether all is ASCII without colours: the width of other characters is not their number. */
export function isPlain<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): boolean {
  return (
    columns.every(({ title }) => PLAIN.test(title)) &&
    rows.every((row) => columns.every((column) => PLAIN.test(column.cell(row))))
  );
}

/** Columns of the terminal that a table takes when nothing is shortened. */
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

/** A borderless table, chunk by chunk; cells are shortened with … when a terminal is too narrow. */
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
  // Coloured when they have been fitted: a colour is not plain text.
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

/** Between words where there are spaces. Wide characters are taken to be twice as wide as others. */
function inLines(text: string, width: number, widthOf: (text: string) => number): readonly string[] {
  if (widthOf(text) <= width) return [text];
  const lines = wrapped(text, { width, indent: 0, isCut: true });
  if (lines.every((line) => widthOf(line) <= width)) return lines;
  return wrapped(text, { width: Math.max(1, Math.floor(width / 2)), indent: 0, isCut: true });
}

/** Takes from the widest of the shrinkable columns until all fit, or none can give any more. */
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

/** A little more of the end is kept: there random ids differ. */
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

/** Colours take no room, and are kept so that what is coloured ends where it should. */
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

/** Characters as a reader counts them: with their accents, emoji whole. */
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
