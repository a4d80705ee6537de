/** How much text is encoded at once: an edit of a million rows as one string would take twice the memory. */
const TEXT_UNITS = 256 * 1024;

/** The bytes of texts, one after the other, in parts of about 256 KiB. */
export function textBytes(texts: Iterable<string>): Buffer[] {
  const parts: Buffer[] = [];
  let text = '';
  for (const next of texts) {
    text += next;
    if (text.length < TEXT_UNITS) continue;
    parts.push(Buffer.from(text));
    text = '';
  }
  if (text !== '') parts.push(Buffer.from(text));
  return parts;
}
