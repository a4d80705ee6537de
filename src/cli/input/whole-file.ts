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

/** A file that can be read more than once. Stdin, pipes and the like are copied to a temporary file first. */
export class WholeFile {
  /** The name for messages. */
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

  /** All lines, from the first. They end early when `signal` aborts. */
  lines(signal: AbortSignal): AsyncIterable<string> {
    return linesOf(Readable.from(this.#chunks(), { objectMode: false }), signal);
  }

  /** The hash of the whole file. */
  async sha256(): Promise<string> {
    const hash = createHash('sha256');
    for await (const chunk of this.#chunks()) hash.update(chunk);
    return hash.digest('hex');
  }

  /** Reads without a stream, which would close the handle when it is destroyed. */
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

/** Copies the input to a temporary file that is deleted at once: no other process can open it, and nothing remains. */
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
