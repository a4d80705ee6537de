import fs from 'node:fs';
import path from 'node:path';

/** The library of Debian's package libfaketime, for the machine's architecture; null when it is not installed. */
export const FAKETIME = find();

function find(): string | null {
  const root = '/usr/lib';
  if (!fs.existsSync(root)) return null;
  const files = fs.readdirSync(root).map((name) => path.join(root, name, 'faketime', 'libfaketimeMT.so.1'));
  return files.find((file) => fs.existsSync(file)) ?? null;
}

/** The environment of a process whose clock is offset by a fixed amount and runs at normal speed. */
export function clockAhead(seconds: number): Readonly<Record<string, string>> {
  if (FAKETIME === null) throw new Error('libfaketime is not installed');
  const offset = seconds >= 0 ? `+${seconds}` : String(seconds);
  return { ...ofFaketime(FAKETIME), FAKETIME: offset };
}

/** The environment of a process whose clock offset is read from a file, such as `+3600`, within a second. */
export function clockFrom(file: string): Readonly<Record<string, string>> {
  if (FAKETIME === null) return {};
  return { ...ofFaketime(FAKETIME), FAKETIME_TIMESTAMP_FILE: file, FAKETIME_CACHE_DURATION: '1' };
}

/**
 * The monotonic clock stays real. Without the last setting, each timed wait of a JVM ends at once, and its threads run
 * in a busy loop.
 */
function ofFaketime(library: string): Readonly<Record<string, string>> {
  return { LD_PRELOAD: library, FAKETIME_DONT_FAKE_MONOTONIC: '1', FAKETIME_FORCE_MONOTONIC_FIX: '0' };
}
