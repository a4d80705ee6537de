import { crc32 } from 'node:zlib';

/** By which the bytes of a file are recognised. */
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
