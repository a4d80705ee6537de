import { crc32 } from 'node:zlib';

/** Identifies the bytes of a file. */
export interface FileFingerprint {
  readonly sizeBytes: number;
  readonly crc32: number;
}

export function fingerprintFile(bytes: Buffer): FileFingerprint {
  return { sizeBytes: bytes.byteLength, crc32: crc32(bytes) };
}

export function sameFingerprint(a: FileFingerprint | null, b: FileFingerprint): boolean {
  return a !== null && a.sizeBytes === b.sizeBytes && a.crc32 === b.crc32;
}

/** @returns the same chunks, and the fingerprint of all of them once they are read */
export function fingerprinted(chunks: Iterable<Buffer>): {
  chunks: Iterable<Buffer>;
  fingerprint: FileFingerprint;
} {
  const fingerprint = { sizeBytes: 0, crc32: 0 };
  const counted = function* (): Generator<Buffer> {
    for (const chunk of chunks) {
      fingerprint.sizeBytes += chunk.byteLength;
      fingerprint.crc32 = crc32(chunk, fingerprint.crc32);
      yield chunk;
    }
  };
  return { chunks: counted(), fingerprint };
}
