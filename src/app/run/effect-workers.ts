import { EffectWorker, type EffectWorkerParts } from './effects.ts';

/** A worker for each processor that owes effects: a gateway that does not answer holds up no mail. */
export class EffectWorkers {
  readonly #workers: readonly EffectWorker[];

  constructor(parts: EffectWorkerParts) {
    this.#workers = parts.processors
      .filter(({ effects }) => effects !== undefined)
      .map((processor) => new EffectWorker({ ...parts, processors: [processor] }));
  }

  /** As EffectWorker.run, of each. */
  run(signal: AbortSignal): readonly Promise<void>[] {
    return this.#workers.map((worker) => worker.run(signal));
  }

  wake(): void {
    for (const worker of this.#workers) worker.wake();
  }

  get isIdle(): boolean {
    return this.#workers.every((worker) => worker.isIdle);
  }

  async owed(): Promise<number> {
    let owed = 0;
    for (const worker of this.#workers) owed += await worker.owed();
    return owed;
  }
}
