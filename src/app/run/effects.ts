import type { Answer, Effect, EffectKind } from '../../domain/effects.ts';
import type { ProcessorName } from '../../domain/messages/message.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EffectPerformers } from '../../ports/effects.ts';
import type { Store } from '../../ports/store.ts';
import type { EffectHandler, Processor } from '../../processors/processor.ts';
import type { RunEvent } from './events.ts';

/** Calls in flight, of all kinds of a processor. */
const MOST_IN_FLIGHT = 16;
/** Nothing else tries an effect for this long after it was handed out. */
const LEASE_MS = 60_000;
/** A try has ended before that, answered or not. */
const LONGEST_TRY_MS = 50_000;
/** How long a stop waits for answers: an effect that has none is looked up by the next run. */
const LONGEST_STOP_MS = 5_000;
/** A run that ends by itself waits for effects that are due within this time. */
const SOON_MS = 60_000;

export interface EffectWorkerParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly processors: readonly Pick<Processor<unknown, { kind: string }>, 'name' | 'effects'>[];
  readonly performers: EffectPerformers;
  readonly on: (event: Extract<RunEvent, { kind: 'effect_settled' }>) => void;
  /** Another try is over, and its answer committed. */
  readonly onSettled: () => void;
}

interface Handler {
  readonly processor: ProcessorName;
  readonly handler: EffectHandler;
}

/**
 * Performs what is owed: an effect is committed as being tried before anybody outside is asked, and the answer is a
 * commit of its own, which counts only while that try is the last one begun.
 */
export class EffectWorker {
  readonly #parts: EffectWorkerParts;
  readonly #handlers = new Map<EffectKind, Handler>();
  readonly #inFlight = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;
  #wake: AbortController = new AbortController();

  constructor(parts: EffectWorkerParts) {
    this.#parts = parts;
    for (const { name, effects } of parts.processors) {
      for (const kind of effects?.kinds ?? [])
        if (parts.performers[kind] !== undefined && effects !== undefined)
          this.#handlers.set(kind, { processor: name, handler: effects });
    }
  }

  get #kinds(): EffectKind[] {
    return [...this.#handlers.keys()];
  }

  /** An effect may be owed, or due earlier, than before. */
  wake(): void {
    this.#wake.abort();
  }

  /** How many are owed that this run performs, without parked ones. */
  async owed(): Promise<number> {
    if (this.#handlers.size === 0) return 0;
    const effects = await this.#parts.store.effects();
    return effects.filter(({ kind, state }) => state !== 'parked' && this.#handlers.has(kind)).length;
  }

  /** Whether nothing is being tried, nor due soon. What is parked is not due. */
  get isIdle(): boolean {
    if (this.#inFlight.size > 0) return false;
    const due = this.#parts.store.nextDue(this.#kinds);
    return due === null || due > this.#parts.clock.now() + SOON_MS;
  }

  /**
   * Performs effects as they become due until `signal` aborts; then waits a few seconds for those that are being tried.
   *
   * @throws Failure of the store
   */
  async run(signal: AbortSignal): Promise<void> {
    if (this.#handlers.size === 0) return;
    const { store, clock } = this.#parts;
    // Calls outside are aborted when the time for a stop is over.
    const calls = new AbortController();
    try {
      while (!signal.aborted && this.#failure === undefined) {
        this.#wake = new AbortController();
        const limit = MOST_IN_FLIGHT - this.#inFlight.size;
        const taken =
          limit === 0 ? [] : await store.takeEffects({ kinds: this.#kinds, limit, leaseMs: LEASE_MS });
        for (const effect of taken) this.#start(effect, calls.signal);
        if (taken.length === 0 || taken.length === limit) await this.#rest(signal);
      }
      const over = new AbortController();
      const answered = Promise.all(this.#inFlight).then(() => over.abort());
      await Promise.race([answered, clock.sleep(LONGEST_STOP_MS, over.signal)]);
    } finally {
      calls.abort();
    }
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Waits until an effect is due, or something changes. */
  async #rest(signal: AbortSignal): Promise<void> {
    const { store, clock } = this.#parts;
    const until = AbortSignal.any([signal, this.#wake.signal]);
    const due = this.#inFlight.size < MOST_IN_FLIGHT ? store.nextDue(this.#kinds) : null;
    if (due !== null) return clock.sleep(Math.max(0, due - clock.now()), until);
    if (until.aborted) return;
    await new Promise<void>((resolve) => until.addEventListener('abort', () => resolve(), { once: true }));
  }

  #start(effect: Effect, signal: AbortSignal): void {
    const work = this.#perform(effect, signal)
      .catch((error: unknown) => {
        if (!signal.aborted) this.#failure ??= { error };
      })
      .finally(() => {
        this.#inFlight.delete(work);
        this.wake();
        this.#parts.onSettled();
      });
    this.#inFlight.add(work);
  }

  async #perform(effect: Effect, signal: AbortSignal): Promise<void> {
    const { processor, handler } = this.#handlers.get(effect.kind) ?? {};
    if (processor === undefined || handler === undefined) return;
    const answer = await this.#ask(effect, signal);
    if (signal.aborted) return;
    await this.#settle(effect, answer, handler);
    this.#parts.on({ kind: 'effect_settled', processor, id: effect.id, outcome: answer.kind });
  }

  async #ask(effect: Effect, signal: AbortSignal): Promise<Answer> {
    const { performers, clock } = this.#parts;
    const perform = performers[effect.kind];
    if (perform === undefined) throw new Error(`nobody performs effects of kind ${effect.kind}`);
    const limit = new AbortController();
    const over = new AbortController();
    const late = clock.sleep(LONGEST_TRY_MS, AbortSignal.any([over.signal, signal])).then((): Answer => {
      limit.abort();
      return { kind: 'failed', message: `no answer within ${LONGEST_TRY_MS / 1000} s`, isUnknown: true };
    });
    const asked = perform(effect, AbortSignal.any([limit.signal, signal]));
    asked.catch(() => undefined);
    try {
      return await Promise.race([asked, late]);
    } finally {
      over.abort();
    }
  }

  async #settle(effect: Effect, answer: Answer, handler: EffectHandler): Promise<void> {
    const { id, attempts } = effect;
    const keys = handler.keys(effect);
    await this.#parts.store.transact({ ...keys, effects: [...(keys.effects ?? []), id] }, (snapshot) => {
      const now = snapshot.effect(id);
      const isLastTry = now?.state === 'trying' && now.attempts === attempts;
      return { changes: isLastTry ? handler.settle(now, answer, snapshot) : {}, result: undefined };
    });
  }
}
