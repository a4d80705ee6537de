import { exportRequest, type EndedSpan } from './encode.ts';

export interface SpanQueueOptions {
  /** Of the requests, including `/v1/traces`. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly resource: Readonly<Record<string, string>>;
  readonly version: string;
  /** Receives what the user should know, once when a problem begins and once when it ends. */
  readonly onWarning: (text: string) => void;
  /** Pause after a failure. */
  readonly retryMs?: number;
  /** The longest that close() takes. */
  readonly closeMs?: number;
}

/** Most spans in one request. */
const BATCH = 512;
/** Most spans that wait to be sent, a few MiB. Any more are dropped. */
const MAX_WAITING = 8_192;
/** Fewer spans than a batch are sent after this time. */
const LINGER_MS = 1_000;
const RETRY_MS = 5_000;
const TIMEOUT_MS = 10_000;
const CLOSE_MS = 2_000;
/** The statuses that the specification says to retry; all others are final. */
const RETRYABLE = new Set([429, 502, 503, 504]);

/** Holds a bounded number of spans until they are sent, so that recording a span never waits. */
export class SpanQueue {
  readonly #options: SpanQueueOptions;
  #waiting: EndedSpan[] = [];
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  /** Why the last request failed; null: it succeeded. */
  #problem: string | null = null;
  #dropped = 0;
  #isClosing = false;
  /** Aborts when answers are no longer awaited: a pending request would keep the process running. */
  readonly #end = new AbortController();

  constructor(options: SpanQueueOptions) {
    this.#options = options;
  }

  add(span: EndedSpan): void {
    if (this.#waiting.length >= MAX_WAITING) {
      this.#dropped += 1;
      if (this.#dropped === 1 && this.#problem === null)
        this.#options.onWarning(
          'spans are dropped: they are produced faster than the collector accepts them',
        );
      return;
    }
    this.#waiting.push(span);
    if (this.#problem === null && this.#waiting.length >= BATCH) this.#begin();
    else this.#beginAfter(LINGER_MS);
  }

  #beginAfter(ms: number): void {
    if (this.#timer !== undefined || this.#sending !== undefined) return;
    this.#timer = setTimeout(() => this.#begin(), ms);
    this.#timer.unref();
  }

  #begin(): void {
    if (this.#sending !== undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#sending = this.#sendAll().finally(() => {
      this.#sending = undefined;
      if (this.#waiting.length > 0)
        this.#beginAfter(this.#problem === null ? LINGER_MS : (this.#options.retryMs ?? RETRY_MS));
    });
  }

  async #sendAll(): Promise<void> {
    do {
      const batch = this.#waiting.slice(0, BATCH);
      const { problem, isFinal } = await this.#send(batch);
      if (problem === null || isFinal) this.#waiting = this.#waiting.slice(batch.length);
      if (isFinal) this.#dropped += batch.length;
      this.#report(problem);
      if (problem !== null) return;
    } while (this.#hasMore());
    this.#reportCaughtUp();
  }

  #hasMore(): boolean {
    if (this.#end.signal.aborted) return false;
    return this.#waiting.length >= BATCH || (this.#isClosing && this.#waiting.length > 0);
  }

  async #send(batch: readonly EndedSpan[]): Promise<{ problem: string | null; isFinal: boolean }> {
    const { url, headers, resource, version } = this.#options;
    const limit = new AbortController();
    const timer = setTimeout(
      () => limit.abort(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)),
      TIMEOUT_MS,
    );
    timer.unref();
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: exportRequest(batch, resource, version),
        redirect: 'manual',
        signal: AbortSignal.any([limit.signal, this.#end.signal]),
      });
      await response.body?.cancel();
      if (response.ok) return { problem: null, isFinal: false };
      return { problem: `it answered ${response.status}`, isFinal: !RETRYABLE.has(response.status) };
    } catch (error) {
      return { problem: reasonOf(error), isFinal: false };
    } finally {
      clearTimeout(timer);
    }
  }

  /** Warns once when a problem begins and once when it ends, not for each request. */
  #report(problem: string | null): void {
    const before = this.#problem;
    this.#problem = problem;
    const { url, onWarning } = this.#options;
    if (problem !== null && before === null) {
      onWarning(`the collector at ${url} does not accept spans: ${problem}; nothing else is affected`);
    }
    if (problem === null && before !== null) {
      const lost = this.#dropped === 0 ? '' : `; ${this.#dropped} were dropped`;
      onWarning(`the collector at ${url} accepts spans again${lost}`);
      this.#dropped = 0;
    }
  }

  /** Warns once each time the collector has accepted all waiting spans; when closing, close() warns. */
  #reportCaughtUp(): void {
    if (this.#dropped === 0 || this.#isClosing) return;
    this.#options.onWarning(`spans are no longer dropped; ${this.#dropped} were dropped`);
    this.#dropped = 0;
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#isClosing = true;
    const closeMs = this.#options.closeMs ?? CLOSE_MS;
    const late = new Error(`no answer within ${closeMs / 1000} s`);
    const timer = setTimeout(() => this.#end.abort(late), closeMs);
    await this.#sending;
    if (this.#waiting.length > 0 && !this.#end.signal.aborted) await this.#sendAll();
    clearTimeout(timer);
    const lost = this.#dropped + this.#waiting.length;
    if (lost > 0) this.#options.onWarning(`${lost} spans were not sent to ${this.#options.url}`);
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // fetch reports only "fetch failed"; its cause has the reason.
  const { cause } = error;
  if (cause instanceof AggregateError && cause.errors[0] instanceof Error) return cause.errors[0].message;
  return cause instanceof Error ? cause.message : error.message;
}
