import fs from 'node:fs';

/** @returns bytes read; fewer than asked for only at the end of the file */
export function readAll(fd: number, into: Buffer, position: number): number {
  let done = 0;
  while (done < into.length) {
    const count = fs.readSync(fd, into, done, into.length - done, position + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}

export function writeAll(fd: number, bytes: Buffer, position: number): void {
  let done = 0;
  while (done < bytes.length) {
    done += fs.writeSync(fd, bytes, done, bytes.length - done, position + done);
  }
}

/** Readers see the old file or the new one, each whole. */
export function replaceFile(file: string, bytes: Buffer | string): void {
  const fresh = `${file}.new`;
  fs.writeFileSync(fresh, bytes);
  fs.renameSync(fresh, file);
}

/** @returns undefined when there is no such file */
export function readFileIfThere(file: string): Buffer | undefined {
  try {
    return fs.readFileSync(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
