import { Failure } from '../../domain/failure.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AuditResult } from './audit.ts';

/** Longer than that it is a task for the command line. */
const LONGEST_MS = 120_000;
/** Auditing may take this part of the time: the longer the logs, the longer a result is good for. */
const SHARE = 0.2;

export interface DatedAudit {
  readonly result: AuditResult;
  /** As of when: milliseconds since the epoch. */
  readonly at: number;
}

interface RunningAudit {
  readonly done: Promise<DatedAudit>;
  readonly stop: AbortController;
  /** How many wait for it. */
  waiting: number;
}

/** Audits for many who ask: one at a time, whose result all get that wait for it, or come soon after. */
export class SharedAudit {
  readonly #run: (signal: AbortSignal) => Promise<AuditResult>;
  readonly #clock: Clock;
  #running: RunningAudit | null = null;
  #last: (DatedAudit & { readonly goodUntil: number }) | null = null;

  constructor(run: (signal: AbortSignal) => Promise<AuditResult>, clock: Clock) {
    this.#run = run;
    this.#clock = clock;
  }

  /**
   * @param signal of the one who asks: when all who wait have gone, the audit ends
   * @throws Failure interrupted: it would take too long; those of the store; the signal's reason
   */
  async result(signal: AbortSignal): Promise<DatedAudit> {
    signal.throwIfAborted();
    if (this.#last !== null && this.#clock.now() < this.#last.goodUntil) return this.#last;
    const running = (this.#running ??= this.#start());
    running.waiting += 1;
    let leave = (): void => undefined;
    const gone = new Promise<never>((_resolve, reject) => {
      leave = () => reject(signal.reason as Error);
    });
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await Promise.race([running.done, gone]);
    } finally {
      signal.removeEventListener('abort', leave);
      running.waiting -= 1;
      if (running.waiting === 0) this.#end(running);
    }
  }

  #start(): RunningAudit {
    const stop = new AbortController();
    const done = this.#audit(stop.signal);
    // Nobody may be left to hear of it.
    done.catch(() => undefined);
    return { done, stop, waiting: 0 };
  }

  #end(running: RunningAudit): void {
    running.stop.abort();
    if (this.#running === running) this.#running = null;
  }

  async #audit(stop: AbortSignal): Promise<DatedAudit> {
    const at = this.#clock.now();
    const limit = AbortSignal.timeout(LONGEST_MS);
    try {
      const result = await this.#run(AbortSignal.any([stop, limit]));
      const now = this.#clock.now();
      this.#last = { result, at, goodUntil: now + (now - at) / SHARE };
      return this.#last;
    } catch (error) {
      if (!limit.aborted) throw error;
      throw new Failure('interrupted', `the audit was not done within ${LONGEST_MS / 1_000} s`, {
        fix: 'run it beside the server: orderctl audit',
      });
    }
  }
}
