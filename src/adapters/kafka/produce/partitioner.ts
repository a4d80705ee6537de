/**
 * The partition that Kafka's Java clients choose for a key: murmur2 of its bytes (Utils.murmur2, DefaultPartitioner),
 * so that an order id is in the same partition whichever client sent it.
 */
export function partitionOf(key: Uint8Array | string, partitions: number): number {
  const hash = typeof key === 'string' ? murmur2OfText(key) : murmur2(key);
  return (hash & 0x7fffffff) % partitions;
}

const TEXT = new Uint8Array(256);

function murmur2OfText(text: string): number {
  const { length } = text;
  if (length > TEXT.length) return murmur2(Buffer.from(text));
  // Most keys are short and ASCII: a buffer for each would cost more than its hash.
  for (let at = 0; at < length; at++) {
    const unit = text.charCodeAt(at);
    if (unit >= 0x80) return murmur2(Buffer.from(text));
    TEXT[at] = unit;
  }
  return murmur2(TEXT, length);
}

const M = 0x5bd1e995;

export function murmur2(bytes: Uint8Array, length = bytes.length): number {
  let hash = 0x9747b28c ^ length;
  const whole = length & ~3;
  for (let at = 0; at < whole; at += 4) {
    let word =
      (bytes[at] ?? 0) |
      ((bytes[at + 1] ?? 0) << 8) |
      ((bytes[at + 2] ?? 0) << 16) |
      ((bytes[at + 3] ?? 0) << 24);
    word = Math.imul(word, M);
    word ^= word >>> 24;
    word = Math.imul(word, M);
    hash = Math.imul(hash, M) ^ word;
  }
  const rest = length & 3;
  if (rest >= 3) hash ^= (bytes[whole + 2] ?? 0) << 16;
  if (rest >= 2) hash ^= (bytes[whole + 1] ?? 0) << 8;
  if (rest >= 1) hash = Math.imul(hash ^ (bytes[whole] ?? 0), M);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, M);
  return hash ^ (hash >>> 15);
}
