import fs from 'node:fs';
import path from 'node:path';

/** Of Debian's package libfaketime, for the machine's architecture; null: it is not installed. */
export const FAKETIME = find();

function find(): string | null {
  const root = '/usr/lib';
  if (!fs.existsSync(root)) return null;
  const files = fs.readdirSync(root).map((name) => path.join(root, name, 'faketime', 'libfaketimeMT.so.1'));
  return files.find((file) => fs.existsSync(file)) ?? null;
}

/** Of a process whose clock is so far ahead, or behind, and whose time passes as everywhere. */
export function clockAhead(seconds: number): Readonly<Record<string, string>> {
  if (FAKETIME === null) throw new Error('libfaketime is not installed');
  const offset = seconds >= 0 ? `+${seconds}` : String(seconds);
  return { ...ofFaketime(FAKETIME), FAKETIME: offset };
}

/** Of a process whose clock is what a file says, as `+3600`, within a second. */
export function clockFrom(file: string): Readonly<Record<string, string>> {
  if (FAKETIME === null) return {};
  return { ...ofFaketime(FAKETIME), FAKETIME_TIMESTAMP_FILE: file, FAKETIME_CACHE_DURATION: '1' };
}

/**
 * The clock that only goes on is as it is. Without the last setting each wait of a JVM for a time is over at once, and its
 * threads turn in circles.
 */
function ofFaketime(library: string): Readonly<Record<string, string>> {
  return { LD_PRELOAD: library, FAKETIME_DONT_FAKE_MONOTONIC: '1', FAKETIME_FORCE_MONOTONIC_FIX: '0' };
}
