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

/** For this long after an effect was handed out, nothing else tries it. */
const LEASE_MS = 60_000;
/** The time limit of a try; shorter than the lease. */
const LONGEST_TRY_MS = 50_000;
/** How long a stop waits for answers; the next run looks up what happened to effects without one. */
const LONGEST_STOP_MS = 5_000;
/** A run that ends by itself waits for effects that are due within this time. */
const SOON_MS = 60_000;
/**
 * The longest time that a batch waits for effects that are performed in this process. Longer than a thousand of them
 * take on a busy machine, or they would pile up; short enough that other group members do not wait long for a
 * partition. Reading is slowed down, never stopped.
 */
const LONGEST_WAIT_MS = 5_000;
/** The longest sleep between two checks; a timer cannot run for more than 24 days. */
const LONGEST_REST_MS = 3_600_000;

export interface EffectWorkerParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly processor: ProcessorName;
  readonly handler: EffectHandler;
  /** The handler's kinds that this worker performs; their performers share one limit. */
  readonly kinds: readonly EffectKind[];
  readonly performers: EffectPerformers;
  /** Absent: no spans are recorded. */
  readonly tracer?: Tracer | undefined;
  readonly on: (
    event: EffectsEvent | Extract<RunEvent, { kind: 'effect_settled' | 'effect_parked' }>,
  ) => void;
  /** Called when tries have finished and their answers are committed. */
  readonly onSettled: () => void;
}

/** Effects that were handed out together. */
interface Tries extends Attempt {
  /** Resolves at the time limit, with the answer for effects that have none by then. */
  readonly late: Promise<Answer>;
}

/**
 * Performs pending effects. An effect is committed as being tried before an outside service is called; the answer is
 * another commit, which counts only while that try is still the latest one. Effects that are due are handed out
 * together, and answers that arrive during a commit are committed together next.
 */
export class EffectWorker {
  readonly #parts: EffectWorkerParts;
  readonly #failing: FailingTries;
  readonly #atOnce: number;
  readonly #batches = new Set<Promise<void>>();
  #inFlight = 0;
  #answered: Answered[] = [];
  /** The commit of answers that is running, and the one that will follow it. */
  #settling: Promise<void> = Promise.resolve();
  #nextSettling: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #wake: AbortController = new AbortController();
  /** The last time, as many effects were handed out as the limit allows: more may be due. */
  #isFull = false;
  /** Resolves the next time that effects are handed out. */
  #taking: Promise<void> = Promise.resolve();
  #taken: () => void = () => undefined;

  constructor(parts: EffectWorkerParts) {
    this.#parts = parts;
    this.#failing = new FailingTries(parts);
    const [first] = parts.kinds;
    this.#atOnce = (first === undefined ? undefined : parts.performers[first]?.atOnce) ?? 0;
  }

  /** To be called when an effect may be pending, or due earlier, than before. */
  wake(): void {
    this.#wake.abort();
  }

  /** The number of pending effects for this worker, without parked ones. */
  async owed(): Promise<number> {
    const { store, kinds } = this.#parts;
    const effects = await store.effects();
    return effects.filter(({ kind, state }) => state !== 'parked' && kinds.includes(kind)).length;
  }

  /** Whether no effect is being tried or due soon. Parked effects are not due. */
  get isIdle(): boolean {
    if (this.#inFlight > 0) return false;
    const dueInMs = this.#parts.store.dueInMs(this.#parts.kinds);
    return dueInMs === null || dueInMs > SOON_MS;
  }

  /**
   * Waits while more effects are due than can be performed at once, if they are performed in this process: records that
   * are read meanwhile would add more and more, all of them in memory.
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
   * Performs effects as they become due until `signal` aborts; then waits a few seconds for those being tried.
   *
   * @throws Failure as the store
   */
  async run(signal: AbortSignal): Promise<void> {
    const { store, clock, kinds } = this.#parts;
    // Aborts calls to outside services when the time for stopping is over.
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
      // Otherwise a run to the end would report how many effects it leaves to the next run, but not why.
      if (this.#failure === undefined) await this.#failing.report();
    } finally {
      calls.abort();
      this.#noteTaken(false);
    }
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /**
   * Starts a lease. To be called before effects are taken, so that the lease is over here no later than in the store.
   *
   * @returns whether the lease is over. Uses two clocks of this process: one can be set, the other may stop while the
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

  /** Starts to perform these effects. @param calls aborts when no answer is waited for any more */
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
      if (performer === undefined)
        throw new Error(`there is no performer for effects of kind ${effect.kind}`);
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

  /** Commits an answer, together with others that have arrived by then. */
  #settle(answered: Answered): Promise<void> {
    this.#answered.push(answered);
    return (this.#nextSettling ??= this.#settleNext());
  }

  async #settleNext(): Promise<void> {
    // Answers that arrive at about the same time join this commit.
    await this.#settling;
    const answered = this.#answered;
    this.#answered = [];
    const committing = this.#commit(answered);
    const settling = committing.then(() => undefined);
    // A failure ends the worker: it is thrown to the callers that wait for this commit.
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

  /** @returns the dead letters of the effects that this commit parks */
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
