import type { Writable } from 'node:stream';

const DEFAULT_COLUMNS = 80;

/** The terminal operations that a progress bar needs, as ECMA-48 control sequences. */
export class Terminal {
  readonly #stream: Writable;

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  isTTY(): boolean {
    return true;
  }

  getWidth(): number {
    return columnsOf(this.#stream) ?? DEFAULT_COLUMNS;
  }

  write(text: string): void {
    this.#stream.write(text.slice(0, this.getWidth() - 1));
  }

  cursorTo(): void {
    this.#stream.write('\r');
  }

  clearRight(): void {
    this.#stream.write('\u001B[K');
  }

  clearLine(): void {
    this.#stream.write('\r\u001B[K');
  }

  /** Clears the line when a bar is removed. */
  cursorSave(): void {
    /* Lines are printed above the bar, so a saved position would be wrong. */
  }

  cursorRestore(): void {
    /* See cursorSave. */
  }

  lineWrapping(): void {
    /* `write` never exceeds the line. */
  }

  newline(): void {
    this.#stream.write('\n');
  }
}

/** @returns null if it is not known: some pseudo-terminals report 0 */
export function columnsOf(stream: Writable): number | null {
  const columns = 'columns' in stream ? Number(stream.columns) : 0;
  return columns > 0 ? columns : null;
}

/** Like columnsOf. */
export function rowsOf(stream: Writable): number | null {
  const rows = 'rows' in stream ? Number(stream.rows) : 0;
  return rows > 0 ? rows : null;
}
