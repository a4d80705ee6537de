import avsc from 'avsc';

/** Writes values that parseMessage has made. */
export function createWriter(schema: unknown): (value: unknown) => Buffer {
  const type = avsc.Type.forSchema(schema as avsc.Schema, {
    typeHook: (part) => (isLong(part) ? LONG : undefined),
    logicalTypes: { decimal: Decimal },
  });
  return (value) => type.toBuffer(value);
}

/** Times too. */
function isLong(part: unknown): boolean {
  return (
    part === 'long' || (typeof part === 'object' && part !== null && 'type' in part && part.type === 'long')
  );
}

/** avsc's own writes numbers below −2^52 as others, and refuses some that are exact. */
const LONG = avsc.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => Number(bytes.readBigInt64LE()),
  toBuffer: (value: number) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(value));
    return bytes;
  },
  fromJSON: Number,
  toJSON: Number,
  isValid: Number.isSafeInteger,
  compare: (a: number, b: number) => Math.sign(a - b),
});

/** A decimal string as the shortest big-endian two's complement of its hundredths. */
class Decimal extends avsc.types.LogicalType {
  /** @returns undefined for what is none: so the branch of a union is found */
  override _toValue(value: unknown): Buffer | undefined {
    if (typeof value !== 'string') return undefined;
    const hundredths = Number(value.replace('.', ''));
    let sizeBytes = 1;
    while (hundredths >= 2 ** (8 * sizeBytes - 1) || hundredths < -(2 ** (8 * sizeBytes - 1))) sizeBytes += 1;
    const bytes = Buffer.alloc(sizeBytes);
    bytes.writeIntBE(hundredths, 0, sizeBytes);
    return bytes;
  }
  override _fromValue(value: unknown): unknown {
    return value;
  }
}
