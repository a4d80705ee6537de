/** How much text is encoded at once: an edit of a million rows as one string would take twice the memory. */
const TEXT_UNITS = 256 * 1024;

/**
 * Lines on their way to bytes: many share a buffer, since one for each costs more than its encoding, and where they are
 * written down also a call of the system.
 */
export class TextBytes {
  readonly #parts: Buffer[] = [];
  #text = '';

  /** @returns its size in bytes */
  add(text: string): number {
    this.#text += text;
    if (this.#text.length >= TEXT_UNITS) this.#encode();
    return Buffer.byteLength(text);
  }

  /** All of it, in parts of about 256 KiB. */
  end(): Buffer[] {
    if (this.#text !== '') this.#encode();
    return this.#parts;
  }

  #encode(): void {
    this.#parts.push(Buffer.from(this.#text));
    this.#text = '';
  }
}

/** The bytes of texts, one after the other, in parts of about 256 KiB. */
export function textBytes(texts: Iterable<string>): Buffer[] {
  const bytes = new TextBytes();
  for (const text of texts) bytes.add(text);
  return bytes.end();
}
