import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { Failure } from '../../domain/failure.ts';
import { errorCode } from '../error-code.ts';
import type { Session } from '../session.ts';

export interface LinesFlag {
  /** `--file` */
  readonly flag: string;
  /** What the file contains: `one JSON object per line`. */
  readonly what: string;
}

/**
 * Opens the lines of a file, or of stdin for `-`. They end early when `signal` aborts.
 *
 * @throws Failure not_found, invalid_value
 */
export async function openLines(
  file: string,
  about: LinesFlag,
  { printer }: Pick<Session, 'printer'>,
  signal: AbortSignal,
): Promise<{ lines: AsyncIterable<string>; name: string }> {
  if (file === '-') {
    if (process.stdin.isTTY) printer.info(`reading from the terminal, ${about.what}; Ctrl-D ends`);
    return { lines: linesOf(process.stdin, signal), name: '<stdin>' };
  }
  await checkFile(file, about);
  return { lines: linesOf(createReadStream(file), signal), name: file };
}

/** @throws Failure not_found, invalid_value */
export async function checkFile(file: string, { flag, what }: LinesFlag): Promise<void> {
  try {
    if ((await stat(file)).isDirectory()) {
      throw new Failure('invalid_value', `${flag}: ${file} is a folder`, { fix: 'use the path of a file' });
    }
  } catch (error) {
    if (error instanceof Failure) throw error;
    const code = errorCode(error);
    throw new Failure(
      code === 'ENOENT' ? 'not_found' : 'invalid_value',
      code === 'ENOENT'
        ? `${flag}: file ${file} does not exist`
        : `${flag}: ${file} cannot be read (${code})`,
      {
        fix: `use the path of a file with ${what}, or - for stdin`,
        context: { file },
      },
    );
  }
}

export async function* linesOf(
  input: NodeJS.ReadableStream & { destroy(): unknown },
  signal: AbortSignal,
): AsyncGenerator<string> {
  const lines = createInterface({ input, crlfDelay: Infinity, signal });
  let failure: Error | undefined;
  input.once('error', (error: Error) => {
    failure = error;
    lines.close();
  });
  let isFirst = true;
  try {
    for await (const line of lines) {
      yield isFirst ? line.replace(/^\uFEFF/, '') : line;
      isFirst = false;
    }
  } finally {
    // An open stdin would keep the process alive.
    input.destroy();
  }
  if (failure !== undefined) throw failure;
}
