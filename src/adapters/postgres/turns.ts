import { Failure } from '../../domain/failure.ts';

/** Runs what changes a store one after the other. Once something of it fails as a whole nothing runs any more. */
export class Turns {
  readonly #name: string;
  readonly #onFailure: ((failure: Error) => void) | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #failure: Error | null = null;
  #hasEnded = false;

  constructor(name: string, onFailure: ((failure: Error) => void) | undefined) {
    this.#name = name;
    this.#onFailure = onFailure;
  }

  run<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#queue.then(async () => {
      if (this.#failure !== null) throw this.#failure;
      if (this.#hasEnded) {
        throw new Failure('folder_in_use', `the owner of ${this.#name} is ending`, {
          fix: 'try again in a moment',
        });
      }
      try {
        return await work();
      } catch (error) {
        // What a commit came to is not known, or the session is gone, and others may own the store.
        throw this.fail(error);
      }
    });
    this.#queue = run.catch(() => undefined);
    return run;
  }

  /** From here on nothing runs. @returns the first failure */
  fail(error: unknown): Error {
    if (this.#failure !== null) return this.#failure;
    this.#failure = error instanceof Error ? error : new Error(String(error));
    this.#onFailure?.(this.#failure);
    return this.#failure;
  }

  /** No turn begins any more; resolves when the last one is over. */
  async end(): Promise<void> {
    await this.#queue;
    this.#hasEnded = true;
  }
}
