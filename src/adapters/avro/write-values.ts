/*
 * Writes values in Avro's binary encoding into a buffer that has room for them. Not avsc: producing spends much of
 * its time here, and avsc encodes numbers beyond 2^52 wrongly, which some times are.
 * Source: https://avro.apache.org/docs/1.12.0/specification/#binary-encoding
 */

/** Most bytes of a long, and of the length of a text. */
export const MOST_LONG_BYTES = 10;
/** A UTF-16 unit takes at most three bytes in UTF-8. */
export const MOST_BYTES_PER_UNIT = 3;
/** Most bytes of an amount, with its length. */
export const MOST_AMOUNT_BYTES = 7;

/** @returns where the next value starts, as do all functions here */
export function writeText(text: string, into: Buffer, from: number): number {
  // Names are ASCII: one byte per unit, and up to 63 of them a length of one byte.
  if (text.length < 64) {
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      if (unit >= 0x80) return writeAnyText(text, into, from);
      into[from + 1 + index] = unit;
    }
    into[from] = text.length << 1;
    return from + 1 + text.length;
  }
  return writeAnyText(text, into, from);
}

function writeAnyText(text: string, into: Buffer, from: number): number {
  const at = writeLong(Buffer.byteLength(text), into, from);
  return at + into.write(text, at);
}

/** Zigzag encoding, seven bits per byte. @param value a safe integer */
export function writeLong(value: number, into: Buffer, from: number): number {
  let at = from;
  // The last bit is the sign; the rest is exact in a double.
  let rest = value < 0 ? -(value + 1) : value;
  const low = ((rest % 64) << 1) | (value < 0 ? 1 : 0);
  rest = Math.floor(rest / 64);
  into[at++] = rest > 0 ? low | 0x80 : low;
  while (rest > 0) {
    const next = Math.floor(rest / 128);
    into[at++] = next > 0 ? (rest % 128) | 0x80 : rest;
    rest = next;
  }
  return at;
}

/** An amount of money in hundredths, as the shortest big-endian two's complement. */
export function writeAmount(amount: string, into: Buffer, from: number): number {
  const hundredths = Math.round(Number(amount) * 100);
  let sizeBytes = 1;
  while (
    sizeBytes < 6 &&
    (hundredths >= 2 ** (8 * sizeBytes - 1) || hundredths < -(2 ** (8 * sizeBytes - 1)))
  ) {
    sizeBytes += 1;
  }
  into[from] = sizeBytes << 1;
  return into.writeIntBE(hundredths, from + 1, sizeBytes);
}
