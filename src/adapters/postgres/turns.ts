import { Failure } from '../../domain/failure.ts';

/** Runs changes of a store one after another. Once one fails as a whole, nothing runs any more. */
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
        // The outcome of a commit is unknown, or the session is lost and others may own the store.
        throw this.fail(error);
      }
    });
    this.#queue = run.catch(() => undefined);
    return run;
  }

  /** Nothing runs from here on. @returns the first failure */
  fail(error: unknown): Error {
    if (this.#failure !== null) return this.#failure;
    this.#failure = error instanceof Error ? error : new Error(String(error));
    this.#onFailure?.(this.#failure);
    return this.#failure;
  }

  /** No further turn starts; resolves when the last one is over. */
  async end(): Promise<void> {
    await this.#queue;
    this.#hasEnded = true;
  }
}
