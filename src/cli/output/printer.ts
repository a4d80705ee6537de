import type { Writable } from 'node:stream';
import type { LogLine } from '../../documents/error.ts';
import { isoTime } from '../../domain/iso-time.ts';
import type { LogLevel } from '../settings/table.ts';
import { columnsOf, rowsOf, Terminal } from './terminal.ts';
import { wrapped, wrappedLines } from './text.ts';

const RANK: Readonly<Record<LogLevel, number>> = { error: 0, warn: 1, info: 2, debug: 3 };

export interface PrinterOptions {
  readonly level: LogLevel;
  /** Whether a setting forbids colour; otherwise each stream has colour if it is a terminal. */
  readonly noColor: boolean;
  /** Whether messages are JSON, one object per line. */
  readonly isJson?: boolean;
  /** Applied to each message: adds the flags that the commands in it need in this setup. */
  readonly rephrase?: (text: string) => string;
}

/** Styles of a text; without colour each returns it unchanged. */
export type Colours = Readonly<
  Record<'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan', (text: string) => string>
>;

const plain = (text: string): string => text;
const NO_COLOURS: Colours = { bold: plain, dim: plain, red: plain, green: plain, yellow: plain, cyan: plain };

/** A line on the terminal that is redrawn in place; it is hidden while other lines are printed. */
export interface LiveLine {
  clear(): void;
  draw(): void;
}

/**
 * The one place that writes: data to stdout, messages to stderr. When the reader of either closes it, further output is
 * dropped silently and `closed` aborts.
 */
export class Printer {
  readonly #stdout: Writable;
  readonly #stderr: Writable;
  readonly #closed = new AbortController();
  #level: LogLevel = 'info';
  #isJson = false;
  /** Whether the last message was written: none may follow. */
  #isEnded = false;
  #live: LiveLine | null = null;
  #writeError: NodeJS.ErrnoException | null = null;
  #room: Promise<void> | null = null;
  #makeRoom: () => void = () => undefined;
  /** The colours for terminals; null if no stream is one. */
  #terminalColours: Colours | null = null;
  #rephrase: (text: string) => string = plain;
  /** Colours for what goes to stdout. */
  dataColours: Colours = NO_COLOURS;
  /** Colours for what goes to stderr. */
  messageColours: Colours = NO_COLOURS;

  constructor(stdout: Writable, stderr: Writable) {
    this.#stdout = stdout;
    this.#stderr = stderr;
    for (const stream of [stdout, stderr]) {
      stream.on('error', (error: NodeJS.ErrnoException) => {
        // A reader that has seen enough (`| head`) is not a failure; a full disk is.
        if (error.code !== 'EPIPE') this.#writeError ??= error;
        this.#closed.abort(error);
      });
    }
    const hasRoom = (): void => {
      this.#makeRoom();
      this.#room = null;
    };
    stdout.on('drain', hasRoom).on('close', hasRoom);
  }

  /** Loads colours if there is a terminal to show them. */
  async loadColours(): Promise<void> {
    if (!this.isDataLive && !this.isMessageLive) return;
    const { Chalk } = await import('chalk');
    this.#terminalColours = new Chalk({ level: 1 });
  }

  configure({ level, noColor, isJson = false, rephrase = plain }: PrinterOptions): void {
    this.#level = level;
    this.#isJson = isJson;
    this.#rephrase = rephrase;
    const colours = (stream: Writable): Colours =>
      isTerminal(stream) && !noColor ? (this.#terminalColours ?? NO_COLOURS) : NO_COLOURS;
    this.dataColours = colours(this.#stdout);
    this.messageColours = isJson ? NO_COLOURS : colours(this.#stderr);
  }

  /** Columns of the terminal that data goes to; null if it is not a terminal. */
  get dataColumns(): number | null {
    return isTerminal(this.#stdout) ? columnsOf(this.#stdout) : null;
  }

  /** Rows of the terminal that data goes to; null if it is not a terminal. */
  get dataRows(): number | null {
    return isTerminal(this.#stdout) ? rowsOf(this.#stdout) : null;
  }

  /** The terminal on stderr, for lines that are redrawn in place. */
  get terminal(): Terminal {
    return new Terminal(this.#stderr);
  }

  /** Whether data can be redrawn in place. */
  get isDataLive(): boolean {
    return isTerminal(this.#stdout);
  }

  /** Whether lines on stderr can be redrawn in place. */
  get isMessageLive(): boolean {
    return isTerminal(this.#stderr);
  }

  /** Aborts when the reader of the output closes it. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** The first write error, other than that the reader closed the output. */
  get writeError(): NodeJS.ErrnoException | null {
    return this.#writeError;
  }

  /** Writes data as it is; resolves when there is room for more. Await it in loops. */
  async data(text: string): Promise<void> {
    if (this.closed.aborted || text === '') return;
    this.#live?.clear();
    this.#stdout.write(text);
    this.#live?.draw();
    await this.room();
  }

  /** Like `data`, for text that people read: on a terminal, long lines break between words. */
  async text(text: string): Promise<void> {
    await this.data(wrappedLines(text, this.dataColumns));
  }

  /** Resolves when stdout has room, so that output does not pile up in memory. */
  async room(): Promise<void> {
    if (!this.#stdout.writableNeedDrain || this.closed.aborted) return;
    this.#room ??= new Promise((resolve) => (this.#makeRoom = resolve));
    await this.#room;
  }

  /** Rephrases text as messages are: for data that names commands. */
  rephrased(text: string): string {
    return this.#rephrase(text);
  }

  error(text: string): void {
    this.#message('error', text);
  }

  /** Prints what failed, and the fix if there is one. */
  failure(message: string, fix: string | null): void {
    const { red, cyan } = this.messageColours;
    this.#write(
      this.#labelled('error:', red, message) + (fix === null ? '' : this.#labelled('fix:', cyan, fix)),
    );
  }

  /** Writes the last line to stderr, unchanged; no message follows. */
  last(line: string): void {
    this.#isEnded = false;
    this.#write(`${line}\n`);
    this.#isEnded = true;
  }

  warn(text: string): void {
    this.messages([{ level: 'warn', text }]);
  }

  info(text: string): void {
    this.#message('info', text);
  }

  debug(text: string): void {
    this.#message('debug', this.#isJson ? text : this.messageColours.dim(`debug: ${text}`));
  }

  says(level: LogLevel): boolean {
    return RANK[level] <= RANK[this.#level];
  }

  /** Prints several messages in one write. `time` precedes each of them in text output. */
  messages(
    lines: readonly { readonly level: 'info' | 'warn'; readonly text: string }[],
    { time = null, about = null }: { time?: string | null; about?: LogLine['about'] } = {},
  ): void {
    const begin = time === null || this.#isJson ? '' : `${this.messageColours.dim(time)} `;
    const shown = lines
      .filter(({ level }) => this.says(level))
      .map(({ level, text }) =>
        level === 'warn' && !this.#isJson
          ? begin + this.#labelled('warning:', this.messageColours.yellow, text, (time?.length ?? -1) + 1)
          : begin + this.#formatted(level, text, { taken: (time?.length ?? -1) + 1, about }),
      );
    this.#write(shown.join(''));
  }

  attach(live: LiveLine): void {
    this.#live = live;
  }

  detach(): void {
    this.#live?.clear();
    this.#live = null;
  }

  /** Resolves when all output has left this process, or its reader has closed it. */
  async flush(): Promise<void> {
    await Promise.all([this.#flushed(this.#stdout), this.#flushed(this.#stderr)]);
    // A file stream reports an error of its last write only after the write's callback.
    await new Promise((resolve) => setImmediate(resolve));
  }

  #message(level: LogLevel, text: string): void {
    if (this.says(level)) this.#write(this.#formatted(level, text));
  }

  /** @param taken columns before the text */
  #formatted(
    level: LogLevel,
    text: string,
    { taken = 0, about = null }: { taken?: number; about?: LogLine['about'] } = {},
  ): string {
    const message = this.#rephrase(text);
    const columns = isTerminal(this.#stderr) ? columnsOf(this.#stderr) : null;
    if (!this.#isJson) return `${wrappedLines(message, columns === null ? null : columns - taken)}\n`;
    const line: LogLine = { type: 'log', level, at: isoTime(Date.now()), message, about };
    return `${JSON.stringify(line)}\n`;
  }

  /** Wraps the text to the terminal, indented to the start of the text. @param taken columns before the label */
  #labelled(label: string, colour: (text: string) => string, text: string, taken = 0): string {
    const indent = label.length + 1;
    const lines = this.#rephrase(text)
      .split('\n')
      .map((line, at) => (at === 0 ? `${label} ${line}` : ' '.repeat(indent) + line));
    const width = isTerminal(this.#stderr) ? columnsOf(this.#stderr) : null;
    const shown =
      width === null ? lines : lines.flatMap((line) => wrapped(line, { width: width - taken, indent }));
    return `${colour(label)}${shown.join('\n').slice(label.length)}\n`;
  }

  #write(text: string): void {
    if (text === '' || this.#isEnded || (this.closed.aborted && this.#writeError === null)) return;
    this.#live?.clear();
    this.#stderr.write(text);
    this.#live?.draw();
  }

  async #flushed(stream: Writable): Promise<void> {
    if (stream.writableLength === 0 || stream.destroyed) return;
    // The callback also runs, with an error, when the reader has closed the stream.
    await new Promise<void>((resolve) => stream.write('', () => resolve()));
  }
}

function isTerminal(stream: Writable): boolean {
  return 'isTTY' in stream && stream.isTTY === true;
}
