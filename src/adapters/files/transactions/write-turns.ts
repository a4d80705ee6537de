import path from 'node:path';
import { Failure } from '../../../domain/failure.ts';
import { errorCode, writeFailure } from '../fs.ts';

/**
 * Runs the operations on a store one after the other. After a disk error nothing more is written, since memory and disk
 * may differ.
 */
export class WriteTurns {
  readonly #folder: string;
  readonly #onFailure: ((failure: Error) => void) | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #failure: Error | undefined;
  /** A caller or `onFailure` has received the failure. */
  #isHeard = false;
  #hasEnded = false;

  /**
   * @param onFailure receives the failure at once, since an owner that waits for orders makes no call that could throw
   * it
   */
  constructor(folder: string, onFailure: ((failure: Error) => void) | undefined) {
    this.#folder = folder;
    this.#onFailure = onFailure;
  }

  /** Runs `work` after all work that was passed before it. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#queue.then(async () => {
      this.#throwFailure();
      if (this.#hasEnded) {
        throw new Failure('folder_in_use', `the owner of ${this.#folder} is stopping`, {
          fix: 'try again in a moment',
        });
      }
      try {
        return await work();
      } catch (error) {
        const failure = failureOf(error, this.#folder);
        if (isFatal(failure)) {
          this.fail(failure);
          this.#isHeard = true;
        }
        throw failure;
      }
    });
    this.#queue = run.catch(() => undefined);
    return run;
  }

  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  /** Ends all writing. @returns the first failure */
  fail(error: unknown): Error {
    if (this.#failure !== undefined) return this.#failure;
    this.#failure = failureOf(error, this.#folder);
    if (this.#onFailure !== undefined) {
      this.#isHeard = true;
      this.#onFailure(this.#failure);
    }
    return this.#failure;
  }

  /** If `onFailure` did not receive the failure of a background turn, nothing has. */
  failedInBackground(): void {
    this.#isHeard = this.#onFailure !== undefined;
  }

  /** No turn starts after this. */
  end(): void {
    this.#hasEnded = true;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Resolves when the last turn has ended. */
  async settled(): Promise<void> {
    await this.#queue;
  }

  /** Throws a failure that no caller has received yet. */
  throwUnheard(): void {
    if (!this.#isHeard) this.#throwFailure();
  }

  #throwFailure(): void {
    if (this.#failure === undefined) return;
    this.#isHeard = true;
    throw this.#failure;
  }
}

/** Returns errors of the operating system as a failed write, all others as they are. */
export function failureOf(error: unknown, folder: string): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  if (error instanceof Failure || errorCode(error) === undefined) return error;
  const file = 'path' in error && typeof error.path === 'string' ? error.path : null;
  return writeFailure(error, file ?? path.join(folder, '.orderctl'));
}

/** Whether memory and disk may differ after this error. */
function isFatal(error: unknown): boolean {
  return (
    !(error instanceof Failure) ||
    error.code === 'write_failed' ||
    error.code === 'read_failed' ||
    error.code === 'corrupt_state' ||
    error.code === 'folder_in_use'
  );
}

/** Runs `work`, and throws its errors as `failureOf` returns them. */
export async function guarded<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw failureOf(error, folder);
  }
}
