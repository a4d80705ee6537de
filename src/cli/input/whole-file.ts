import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdtemp, open, stat, type FileHandle } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { checkFile, linesOf, type LinesFlag } from './lines.ts';
import type { Session } from '../session.ts';

const CHUNK_BYTES = 256 * 1024;

/** A file that is read more than once; stdin, and what else can be read once only, by way of a temporary file. */
export class WholeFile {
  /** How messages name it. */
  readonly name: string;
  readonly #handle: FileHandle;

  private constructor(name: string, handle: FileHandle) {
    this.name = name;
    this.#handle = handle;
  }

  /** @throws Failure not_found, invalid_value; the signal's reason when it aborts before stdin has ended */
  static async open(
    file: string,
    about: LinesFlag,
    { printer }: Pick<Session, 'printer'>,
    signal: AbortSignal,
  ): Promise<WholeFile> {
    if (file === '-') {
      if (process.stdin.isTTY) printer.info(`reading from the terminal, ${about.what}; Ctrl-D ends`);
      return new WholeFile('<stdin>', await spooled(process.stdin, signal));
    }
    await checkFile(file, about);
    const handle = await open(file);
    if ((await stat(file)).isFile()) return new WholeFile(file, handle);
    return new WholeFile(file, await spooled(handle.createReadStream(), signal));
  }

  /** From the first line on; they end early when `signal` aborts. */
  lines(signal: AbortSignal): AsyncIterable<string> {
    return linesOf(Readable.from(this.#chunks(), { objectMode: false }), signal);
  }

  /** Of all of it. */
  async sha256(): Promise<string> {
    const hash = createHash('sha256');
    for await (const chunk of this.#chunks()) hash.update(chunk);
    return hash.digest('hex');
  }

  /** By hand: a stream of the handle closes it when it is destroyed. */
  async *#chunks(): AsyncGenerator<Buffer> {
    for (let position = 0; ;) {
      const { bytesRead, buffer } = await this.#handle.read({
        buffer: Buffer.allocUnsafe(CHUNK_BYTES),
        position,
      });
      if (bytesRead === 0) return;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}

/** Nobody else sees the file, and nothing is left of it however this process ends. */
async function spooled(input: NodeJS.ReadableStream, signal: AbortSignal): Promise<FileHandle> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'orderctl-'));
  try {
    const name = path.join(folder, 'lines');
    const handle = await open(name, 'wx+', 0o600);
    rmSync(folder, { recursive: true });
    await pipeline(
      input,
      async (chunks: AsyncIterable<Buffer | string>) => {
        for await (const chunk of chunks) await handle.writeFile(chunk);
      },
      { signal },
    );
    return handle;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
