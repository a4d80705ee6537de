/**
 * Where a text stops being valid JSON. `JSON.parse` does not report it for short texts, and jsonc-parser reports only
 * the start of a broken string and recurses without a limit.
 */
interface JsonError {
  /** In bytes. */
  readonly position: number;
  readonly message: string;
}

const MAX_DEPTH = 512;
const WORDS = ['true', 'false', 'null'];
const NUMBER = /-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
// eslint-disable-next-line no-control-regex -- a string must not contain them
const STRING = /"(?:[^"\\\u0000-\u001F]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;

/** Grammar: RFC 8259. @returns null for valid JSON */
export function findJsonError(bytes: Uint8Array): JsonError | null {
  const text = new TextDecoder().decode(bytes);
  const scanner = new Scanner(text);
  const failed = scanner.run();
  if (failed === null) return null;
  return { position: new TextEncoder().encode(text.slice(0, scanner.at)).length, message: failed };
}

class Scanner {
  readonly #text: string;
  at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** @returns what is wrong at `at`; null for valid JSON */
  run(): string | null {
    const failed = this.#value(0);
    if (failed !== null) return failed;
    this.#space();
    return this.at < this.#text.length ? `${this.#here()} follows the value` : null;
  }

  #value(depth: number): string | null {
    this.#space();
    if (depth > MAX_DEPTH) return `values nest deeper than ${MAX_DEPTH}`;
    const first = this.#text[this.at];
    if (first === '{') return this.#list('}', depth, true);
    if (first === '[') return this.#list(']', depth, false);
    if (first === '"') return this.#match(STRING) ? null : this.#brokenString();
    for (const word of WORDS) {
      if (!this.#text.startsWith(word, this.at)) continue;
      this.at += word.length;
      return null;
    }
    return this.#match(NUMBER) ? null : `a value is expected, not ${this.#here()}`;
  }

  #list(end: string, depth: number, isObject: boolean): string | null {
    this.at += 1;
    this.#space();
    if (this.#take(end)) return null;
    for (;;) {
      if (isObject) {
        this.#space();
        if (this.#text[this.at] !== '"') return `a name in quotes is expected, not ${this.#here()}`;
        if (!this.#match(STRING)) return this.#brokenString();
        this.#space();
        if (!this.#take(':')) return `":" is expected after a name, not ${this.#here()}`;
      }
      const failed = this.#value(depth + 1);
      if (failed !== null) return failed;
      this.#space();
      if (this.#take(end)) return null;
      if (!this.#take(',')) return `"," or "${end}" is expected, not ${this.#here()}`;
    }
  }

  /** Advances to the character that breaks the string. */
  #brokenString(): string {
    for (this.at += 1; this.at < this.#text.length; this.at += 1) {
      const character = this.#text[this.at] ?? '';
      if (character < ' ') return 'a string contains a control character';
      if (character !== '\\') continue;
      if (!/^\\(["\\/bfnrt]|u[0-9a-fA-F]{4})/.test(this.#text.slice(this.at, this.at + 6))) {
        return 'a string contains an escape that JSON does not have';
      }
      this.at += 1;
    }
    return 'a string does not end';
  }

  #space(): void {
    while (' \t\n\r'.includes(this.#text[this.at] ?? '_')) this.at += 1;
  }

  #take(character: string): boolean {
    if (this.#text[this.at] !== character) return false;
    this.at += 1;
    return true;
  }

  #match(pattern: RegExp): boolean {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.#text);
    if (found === null) return false;
    this.at = pattern.lastIndex;
    return true;
  }

  #here(): string {
    const character = this.#text[this.at];
    return character === undefined ? 'the end' : JSON.stringify(character);
  }
}
