import type { Answer, Answered, Effect, EffectKind } from '../../domain/effects.ts';
import type { ProcessorName } from '../../domain/messages/message.ts';
import type { OutgoingMessage } from '../../domain/messages/outgoing.ts';
import type { Clock } from '../../ports/clock.ts';
import { HERE_AT_ONCE, type Attempt, type EffectPerformers } from '../../ports/effects.ts';
import type { Tracer } from '../../ports/outside/tracer.ts';
import type { Store } from '../../ports/store.ts';
import type { EffectHandler } from '../../processors/processor.ts';
import { beginTry } from '../tracing/effect-span.ts';
import type { EffectsEvent, RunEvent } from './events.ts';
import { FailingTries } from './status/failing-tries.ts';

/** Nothing else tries an effect for this long after it was handed out. */
const LEASE_MS = 60_000;
/** A try has ended before that, answered or not. */
const LONGEST_TRY_MS = 50_000;
/** How long a stop waits for answers: an effect that has none is looked up by the next run. */
const LONGEST_STOP_MS = 5_000;
/** A run that ends by itself waits for effects that are due within this time. */
const SOON_MS = 60_000;
/**
 * The longest that a batch waits for what is performed here: longer than a thousand take on a busy machine, or they become more
 * and more; and not so long that other members of the group wait for a partition. Reading is slowed down, and never stopped.
 */
const LONGEST_WAIT_MS = 5_000;
/** A timer cannot be set for longer than some weeks; looking again costs nothing. */
const LONGEST_REST_MS = 3_600_000;

export interface EffectWorkerParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly processor: ProcessorName;
  readonly handler: EffectHandler;
  /** Those of the handler's that are performed here; their performers have one limit. */
  readonly kinds: readonly EffectKind[];
  readonly performers: EffectPerformers;
  /** Absent: no spans are made. */
  readonly tracer?: Tracer | undefined;
  readonly on: (
    event: EffectsEvent | Extract<RunEvent, { kind: 'effect_settled' | 'effect_parked' }>,
  ) => void;
  /** Tries are over, and their answers committed. */
  readonly onSettled: () => void;
}

/** Effects that were handed out together. */
interface Tries extends Attempt {
  /** The answer of those that have none by then. */
  readonly late: Promise<Answer>;
}

/**
 * Performs what is owed: an effect is committed as being tried before anybody outside is asked, and the answer is a
 * commit of its own, which counts only while that try is the last one begun. What is due goes together, and so do the
 * answers that have come while those before them were committed.
 */
export class EffectWorker {
  readonly #parts: EffectWorkerParts;
  readonly #failing: FailingTries;
  readonly #atOnce: number;
  readonly #batches = new Set<Promise<void>>();
  #inFlight = 0;
  #answered: Answered[] = [];
  /** The commit of the answers before, and that of the ones that wait. */
  #settling: Promise<void> = Promise.resolve();
  #nextSettling: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #wake: AbortController = new AbortController();
  /** The last time as many were handed out as may be performed: more may be due. */
  #isFull = false;
  /** Resolves when effects are handed out the next time. */
  #taking: Promise<void> = Promise.resolve();
  #taken: () => void = () => undefined;

  constructor(parts: EffectWorkerParts) {
    this.#parts = parts;
    this.#failing = new FailingTries(parts);
    const [first] = parts.kinds;
    this.#atOnce = (first === undefined ? undefined : parts.performers[first]?.atOnce) ?? 0;
  }

  /** An effect may be owed, or due earlier, than before. */
  wake(): void {
    this.#wake.abort();
  }

  /** How many are owed that this worker performs, without parked ones. */
  async owed(): Promise<number> {
    const { store, kinds } = this.#parts;
    const effects = await store.effects();
    return effects.filter(({ kind, state }) => state !== 'parked' && kinds.includes(kind)).length;
  }

  /** Whether nothing is being tried, nor due soon. What is parked is not due. */
  get isIdle(): boolean {
    if (this.#inFlight > 0) return false;
    const dueInMs = this.#parts.store.dueInMs(this.#parts.kinds);
    return dueInMs === null || dueInMs > SOON_MS;
  }

  /**
   * Waits while more is due than is performed at once, if nobody outside has to answer: what is read meanwhile would owe
   * more and more, all of it in memory.
   */
  async keepUp(): Promise<void> {
    if (!this.#isBehind()) return;
    const over = new AbortController();
    const late = this.#parts.clock.sleep(LONGEST_WAIT_MS, over.signal).then(() => over.abort());
    while (this.#isBehind() && !over.signal.aborted) await Promise.race([this.#taking, late]);
    over.abort();
  }

  #isBehind(): boolean {
    const { store, kinds } = this.#parts;
    return this.#isFull && this.#atOnce === HERE_AT_ONCE && store.dueInMs(kinds) === 0;
  }

  #noteTaken(isFull: boolean): void {
    this.#isFull = isFull;
    this.#taken();
    this.#taking = new Promise((resolve) => (this.#taken = resolve));
  }

  /**
   * Performs effects as they become due until `signal` aborts; then waits a few seconds for those that are being tried.
   *
   * @throws Failure of the store
   */
  async run(signal: AbortSignal): Promise<void> {
    const { store, clock, kinds } = this.#parts;
    // Calls outside are aborted when the time for a stop is over.
    const calls = new AbortController();
    try {
      while (!signal.aborted && this.#failure === undefined) {
        this.#wake = new AbortController();
        const limit = this.#atOnce - this.#inFlight;
        const isOver = this.#lease();
        const taken = limit === 0 ? [] : await store.takeEffects({ kinds, limit, leaseMs: LEASE_MS });
        if (taken.length > 0) this.#try(taken, isOver, calls.signal);
        this.#noteTaken(taken.length === limit);
        await this.#failing.report();
        await this.#rest(signal);
      }
      const over = new AbortController();
      const answered = Promise.all(this.#batches).then(() => over.abort());
      await Promise.race([answered, clock.sleep(LONGEST_STOP_MS, over.signal)]);
      // Else a run to the end would say how much it leaves to the next, and not why.
      if (this.#failure === undefined) await this.#failing.report();
    } finally {
      calls.abort();
      this.#noteTaken(false);
    }
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /**
   * Call it before anything is taken, so that a lease is over here no later than in the store.
   *
   * @returns whether it is: by this process's own clocks alone, of which one may be set, and the other may stand while the
   *   machine is suspended
   */
  #lease(): Attempt['isOver'] {
    const { clock } = this.#parts;
    const [time, elapsedMs] = [clock.now(), clock.elapsed()];
    return () => Math.max(clock.now() - time, clock.elapsed() - elapsedMs) >= LEASE_MS;
  }

  /** Waits until an effect is due, there is something to report, or something changes. */
  async #rest(signal: AbortSignal): Promise<void> {
    const { store, clock, kinds } = this.#parts;
    const until = AbortSignal.any([signal, this.#wake.signal]);
    const dueInMs = this.#inFlight < this.#atOnce ? store.dueInMs(kinds) : null;
    const reportInMs = this.#failing.dueInMs;
    if (dueInMs !== null || reportInMs !== null)
      return clock.sleep(Math.min(dueInMs ?? Infinity, reportInMs ?? Infinity, LONGEST_REST_MS), until);
    if (until.aborted) return;
    await new Promise<void>((resolve) => until.addEventListener('abort', () => resolve(), { once: true }));
  }

  /** Begins to perform these. @param calls aborts when no answer is waited for any more */
  #try(taken: readonly Effect[], isOver: Attempt['isOver'], calls: AbortSignal): void {
    const { clock } = this.#parts;
    const limit = new AbortController();
    const over = new AbortController();
    const late = clock.sleep(LONGEST_TRY_MS, AbortSignal.any([over.signal, calls])).then((): Answer => {
      limit.abort();
      return { kind: 'failed', message: `no answer within ${LONGEST_TRY_MS / 1000} s`, isUnknown: true };
    });
    const tries: Tries = { signal: AbortSignal.any([limit.signal, calls]), isOver, late };
    this.#inFlight += taken.length;
    const batch = Promise.all(taken.map((effect) => this.#perform(effect, tries, calls)))
      .then(() => undefined)
      .finally(() => {
        over.abort();
        this.#batches.delete(batch);
      });
    this.#batches.add(batch);
  }

  async #perform(effect: Effect, tries: Tries, calls: AbortSignal): Promise<void> {
    try {
      const performer = this.#parts.performers[effect.kind];
      if (performer === undefined) throw new Error(`nobody performs effects of kind ${effect.kind}`);
      const { tracer, clock, processor } = this.#parts;
      const traced = tracer === undefined ? null : beginTry(tracer, effect, { processor, clock });
      const asked = performer.perform(traced?.effect ?? effect, tries);
      asked.catch(() => undefined);
      const answer = await Promise.race([asked, tries.late]);
      traced?.end(answer);
      if (!calls.aborted) await this.#settle({ effect, answer });
    } catch (error) {
      if (!calls.aborted) this.#failure ??= { error };
      this.wake();
    }
  }

  /** Commits an answer, with others that have come by then. */
  #settle(answered: Answered): Promise<void> {
    this.#answered.push(answered);
    return (this.#nextSettling ??= this.#settleNext());
  }

  async #settleNext(): Promise<void> {
    // Also lets those come that are answered at the same time.
    await this.#settling;
    const answered = this.#answered;
    this.#answered = [];
    const committing = this.#commit(answered);
    const settling = committing.then(() => undefined);
    // A failure ends the worker: it is thrown to those that wait for this one.
    this.#settling = settling.catch(() => undefined);
    this.#nextSettling = undefined;
    const parked = await committing;
    this.#inFlight -= answered.length;
    this.wake();
    const { on, onSettled, processor } = this.#parts;
    for (const one of answered) {
      on({ kind: 'effect_settled', processor, id: one.effect.id, outcome: one.answer.kind });
      this.#failing.take(one);
    }
    for (const { key: about, deadLetter: why } of parked) {
      if (why !== undefined) on({ kind: 'effect_parked', processor, about, why });
    }
    onSettled();
  }

  /** @returns the dead letters of those that are parked now */
  async #commit(answered: readonly Answered[]): Promise<readonly OutgoingMessage[]> {
    const { store, handler } = this.#parts;
    const keys = handler.keys(answered.map(({ effect }) => effect));
    const ids = answered.map(({ effect }) => effect.id);
    return store.transact({ ...keys, effects: [...(keys.effects ?? []), ...ids] }, (snapshot) => {
      const counting = answered.flatMap(({ effect, answer }) => {
        const now = snapshot.effect(effect.id);
        const isLastTry = now?.state === 'trying' && now.attempts === effect.attempts;
        return isLastTry ? [{ effect: now, answer }] : [];
      });
      const changes = counting.length === 0 ? {} : handler.settle(counting, snapshot);
      return {
        changes,
        result: changes.outgoing?.filter(({ deadLetter }) => deadLetter !== undefined) ?? [],
      };
    });
  }
}
