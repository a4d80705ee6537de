/** `1,234 rows`, `1 row` */
/** `name, price and level` */
export function listed(words: readonly string[], last: 'and' | 'or'): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1) ?? ''}`;
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${grouped(n)} ${n === 1 ? one : many}`;
}

/** How to see the rows that a limited table leaves out. */
export const LIST_MORE = '--limit N lists more; without --limit, -o csv and -o json list all';

/** `1,234` */
export function grouped(n: number): string {
  // Intl would load its locale tables for this.
  return String(n).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** Escapes control characters, which a terminal would obey. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ');
}

/** `0.4 s`, `75 s`, `12 min` */
export function duration(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  return ms < 120_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`;
}

export interface WrapOptions {
  /** Columns. */
  readonly width: number;
  /** Columns of indentation before every line but the first. */
  readonly indent: number;
  /** Whether to cut words that have no space to break at; otherwise the line gets longer. */
  readonly isCut?: boolean;
}

/** Commands in messages: broken across lines, they could not be copied. */
const COMMAND = /\borderctl (?:[^;,"\n]|,(?=\S))*/g;

/** Breaks a line into several, between words where possible. */
export function wrapped(line: string, { width, indent, isCut = false }: WrapOptions): string[] {
  const lines: string[] = [];
  let rest = isCut ? line : line.replace(COMMAND, (command) => command.replaceAll(' ', '\u00A0'));
  while (rest.length > width) {
    const end = placeToBreak(rest, { width, indent, isCut });
    if (end === -1) break;
    lines.push(rest.slice(0, end));
    rest = ' '.repeat(Math.min(indent, Math.floor(width / 2))) + rest.slice(end).trimStart();
  }
  return [...lines, rest].map((text) => text.replaceAll('\u00A0', ' '));
}

const COLUMNS = /^ *(?:- |(?:\S+(?: \S+)* {2,})*)/;

/**
 * Breaks lines between words, so that the terminal does not break within them. Continuation lines are indented to the
 * text after `- `, or after a label that two spaces follow.
 *
 * @param width of the terminal; null: the output is not a terminal
 */
export function wrappedLines(text: string, width: number | null): string {
  if (width === null) return text;
  const indentOf = (line: string): number => COLUMNS.exec(line)?.[0].length ?? 0;
  return text
    .split('\n')
    .flatMap((line) => wrapped(line, { width, indent: indentOf(line) }))
    .join('\n');
}

/** @returns -1 if there is none */
function placeToBreak(text: string, { width, indent, isCut = false }: WrapOptions): number {
  const space = text.lastIndexOf(' ', width);
  if (space > indent) return space;
  return isCut ? width : text.indexOf(' ', Math.max(width, indent));
}

/** `512 bytes`, `3.4 MB` */
export function size(bytes: number): string {
  const [unit, name] = bytes < 1e6 ? [1e3, 'kB'] : bytes < 1e9 ? [1e6, 'MB'] : [1e9, 'GB'];
  return bytes < 1e3 ? count(bytes, 'byte') : `${(bytes / unit).toFixed(1)} ${name}`;
}

/** The topic for documents, which name it if there is just one; null for several. */
export function onlyTopic({
  topics: [topic = '', ...others],
}: {
  readonly topics: readonly string[];
}): string | null {
  return others.length === 0 ? topic : null;
}
