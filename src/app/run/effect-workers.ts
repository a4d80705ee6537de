import type { EffectKind } from '../../domain/effects.ts';
import type { ProcessorName } from '../../domain/messages/message.ts';
import type { EffectPerformers } from '../../ports/effects.ts';
import type { Processor } from '../../processors/processor.ts';
import { EffectWorker, type EffectWorkerParts } from './effects.ts';

type Owing = Pick<Processor<unknown, { kind: string }>, 'name' | 'effects'>;

/**
 * The effect workers of each processor: one for each limit on effects in flight, so that a payment gateway that does
 * not answer does not hold up mail.
 */
export class EffectWorkers {
  readonly #workers: readonly EffectWorker[];
  readonly #byProcessor = new Map<ProcessorName, EffectWorker[]>();

  constructor(
    parts: Pick<EffectWorkerParts, 'store' | 'clock' | 'performers' | 'tracer' | 'on' | 'onSettled'> & {
      readonly processors: readonly Owing[];
    },
  ) {
    this.#workers = parts.processors.flatMap(({ name, effects }) => {
      if (effects === undefined) return [];
      const owing = { processor: name, handler: effects };
      const workers = [...byLimit(effects.kinds, parts.performers).values()].map(
        (kinds) => new EffectWorker({ ...parts, ...owing, kinds }),
      );
      this.#byProcessor.set(name, workers);
      return workers;
    });
  }

  /** As EffectWorker.run, for each worker. */
  run(signal: AbortSignal): readonly Promise<void>[] {
    return this.#workers.map((worker) => worker.run(signal));
  }

  wake(): void {
    for (const worker of this.#workers) worker.wake();
  }

  /** As EffectWorker.keepUp, for the effects of this processor. */
  async keepUp(processor: ProcessorName): Promise<void> {
    for (const worker of this.#byProcessor.get(processor) ?? []) await worker.keepUp();
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

/** The kinds that have a performer, by how many effects may be in flight. */
function byLimit(kinds: readonly EffectKind[], performers: EffectPerformers): Map<number, EffectKind[]> {
  const groups = new Map<number, EffectKind[]>();
  for (const kind of kinds) {
    const { atOnce } = performers[kind] ?? {};
    if (atOnce !== undefined) groups.set(atOnce, [...(groups.get(atOnce) ?? []), kind]);
  }
  return groups;
}
