/** The failure that ends a run: the first one, since others may be its consequences. */
export class FirstFailure {
  readonly #stop: AbortController;
  #first: { readonly error: unknown } | undefined;

  /** @param stop aborted at the first failure */
  constructor(stop: AbortController) {
    this.#stop = stop;
  }

  take(error: unknown): void {
    this.#first ??= { error };
    this.#stop.abort();
  }

  /** Resolves when `work` ends; if it fails, takes its failure. */
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
