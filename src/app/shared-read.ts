import { Failure } from '../domain/failure.ts';
import type { Clock } from '../ports/clock.ts';

/** Longer reads must be made on the command line. */
const LONGEST_MS = 120_000;
/** The share of the time that reading may take: the longer the logs, the longer a result stays valid. */
const SHARE = 0.2;

export interface Dated<T> {
  readonly result: T;
  /** The moment that the result is for, in milliseconds since the epoch. */
  readonly at: number;
}

interface Running<T> {
  readonly done: Promise<Dated<T>>;
  readonly stop: AbortController;
  /** The number of callers that wait for it. */
  waiting: number;
}

/**
 * Reads whole logs on behalf of many callers: one read at a time, whose result is shared by all callers until it
 * expires.
 */
export class SharedRead<T> {
  readonly #what: string;
  readonly #run: (signal: AbortSignal) => Promise<T>;
  readonly #clock: Clock;
  #running: Running<T> | null = null;
  #last: (Dated<T> & { readonly goodUntil: number }) | null = null;

  /** @param what the command that does the same, such as `audit` */
  constructor(what: string, run: (signal: AbortSignal) => Promise<T>, clock: Clock) {
    this.#what = what;
    this.#run = run;
    this.#clock = clock;
  }

  /**
   * @param signal of the caller: when all callers have stopped waiting, the read ends
   * @throws Failure interrupted: the read takes too long; as the store; the signal's reason
   */
  async result(signal: AbortSignal): Promise<Dated<T>> {
    signal.throwIfAborted();
    if (this.#last !== null && this.#clock.elapsed() < this.#last.goodUntil) return this.#last;
    const running = (this.#running ??= this.#start());
    running.waiting += 1;
    let leave = (): void => undefined;
    const aborted = new Promise<never>((_resolve, reject) => {
      leave = () => reject(signal.reason as Error);
    });
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await Promise.race([running.done, aborted]);
    } finally {
      signal.removeEventListener('abort', leave);
      running.waiting -= 1;
      if (running.waiting === 0) this.#end(running);
    }
  }

  #start(): Running<T> {
    const stop = new AbortController();
    const done = this.#read(stop.signal);
    // There may be no caller left to handle the failure.
    done.catch(() => undefined);
    return { done, stop, waiting: 0 };
  }

  #end(running: Running<T>): void {
    running.stop.abort();
    if (this.#running === running) this.#running = null;
  }

  async #read(stop: AbortSignal): Promise<Dated<T>> {
    const [at, from] = [this.#clock.now(), this.#clock.elapsed()];
    const limit = AbortSignal.timeout(LONGEST_MS);
    try {
      const result = await this.#run(AbortSignal.any([stop, limit]));
      const now = this.#clock.elapsed();
      this.#last = { result, at, goodUntil: now + (now - from) / SHARE };
      return this.#last;
    } catch (error) {
      if (!limit.aborted) throw error;
      throw new Failure('interrupted', `"${this.#what}" did not finish within ${LONGEST_MS / 1_000} s`, {
        fix: { kind: 'run_command', command: this.#what },
      });
    }
  }
}

/** The number of results that are kept. */
const KEPT = 16;

/** Shared reads of the same logs for different questions: run one after the other, since each reads all logs. */
export class SharedReads<T> {
  readonly #what: string;
  readonly #clock: Clock;
  /** By question; the most recently used one is last. */
  readonly #reads = new Map<string, SharedRead<T>>();
  #turn: Promise<unknown> = Promise.resolve();

  /** @param what as in SharedRead */
  constructor(what: string, clock: Clock) {
    this.#what = what;
    this.#clock = clock;
  }

  /** @param run called when there is no valid result */
  of(question: string, run: (signal: AbortSignal) => Promise<T>): SharedRead<T> {
    const read =
      this.#reads.get(question) ??
      new SharedRead(this.#what, (signal) => this.#inTurn(signal, run), this.#clock);
    this.#reads.delete(question);
    this.#reads.set(question, read);
    const [oldest] = this.#reads.keys();
    if (this.#reads.size > KEPT && oldest !== undefined) this.#reads.delete(oldest);
    return read;
  }

  #inTurn(signal: AbortSignal, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const done = this.#turn.then(() => {
      signal.throwIfAborted();
      return run(signal);
    });
    this.#turn = done.catch(() => undefined);
    return done;
  }
}
