/** The failure that ends a run: the first one, though others follow from it. */
export class FirstFailure {
  readonly #stop: AbortController;
  #first: { readonly error: unknown } | undefined;

  /** @param stop aborted by the failure */
  constructor(stop: AbortController) {
    this.#stop = stop;
  }

  take(error: unknown): void {
    this.#first ??= { error };
    this.#stop.abort();
  }

  /** Resolves when the work has ended, one way or the other. */
  async of(work: Promise<unknown>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.take(error);
    }
  }

  rethrow(): void {
    if (this.#first !== undefined) throw this.#first.error;
  }
}
