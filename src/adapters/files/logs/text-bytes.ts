/** How much text is encoded at once: an edit of a million rows as one string would take twice the memory. */
const TEXT_UNITS = 256 * 1024;

/**
 * Encodes lines as bytes. Many lines share a buffer, since a buffer for each line costs more than its encoding, and a
 * system call when it is written.
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

  /** All bytes, in parts of about 256 KiB. */
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
