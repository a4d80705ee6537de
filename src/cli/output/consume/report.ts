import type { ConsumeOrdersEvent, ConsumeSummary, RecordResult } from '../../../app/run/events.ts';
import type { Session } from '../../session.ts';
import type { RunningConsumer } from '../../../ports/owner.ts';
import { printRunEvent } from '../run/event.ts';
import { DecisionThrottle, type MessageLine } from './decision-throttle.ts';
import { IgnoredPrices } from './ignored-prices.ts';
import { StatusLine } from './status-line.ts';
import { decisionDocument, decisionRow, viewDecision } from './decision.ts';
import { summaryDocument, summaryLines } from './summary.ts';
import type { ProgressBar, StartBar } from '../progress.ts';
import { count } from '../text.ts';

const TICK_MS = 1_000;

interface ConsumeLimits {
  readonly untilEnd: boolean;
  readonly maxMessages: number | null;
}

export interface ConsumeReportOptions extends ConsumeLimits {
  /** Every decision goes to stdout, so none are printed to stderr. */
  readonly isEach: boolean;
  /** null: no progress bars. */
  readonly startBar: StartBar | null;
  /** The status that the consumer reports, for the last line of the terminal. */
  readonly status: () => Promise<RunningConsumer | null>;
}

/** Reports what a consumer does while it runs, and prints its summary. */
export class ConsumeReport {
  readonly #session: Session;
  readonly #isEach: boolean;
  readonly #limits: ConsumeLimits;
  readonly #startBar: StartBar | null;
  readonly #throttle: DecisionThrottle;
  readonly #timer: NodeJS.Timeout;
  readonly #status: ConsumeReportOptions['status'];
  #bar: ProgressBar | null = null;
  #statusLine: StatusLine | null = null;
  #isStopAsked = false;
  readonly #ignored: IgnoredPrices;

  constructor(session: Session, { isEach, startBar, status, ...limits }: ConsumeReportOptions) {
    this.#status = status;
    this.#session = session;
    this.#isEach = isEach;
    this.#startBar = startBar;
    this.#limits = limits;
    const { printer } = session;
    this.#ignored = new IgnoredPrices(printer);
    this.#throttle = new DecisionThrottle((level) => printer.says(level));
    this.#timer = setInterval(() => {
      this.#print(this.#throttle.tick(performance.now()));
      this.#ignored.flush();
    }, TICK_MS);
    this.#timer.unref();
  }

  take(event: ConsumeOrdersEvent): void {
    if (event.kind === 'started') {
      this.#start(event.topics.join(', '), event.group, event.remaining);
    } else if (event.kind === 'batch') {
      this.#batch(event.results);
    } else if (event.kind === 'prices_ignored') {
      this.#ignored.add(event);
    } else if (event.kind === 'summary') {
      this.close();
      this.#summary(event.summary);
    } else {
      if (event.kind === 'stop_asked') this.#isStopAsked = true;
      printRunEvent(this.#session, event);
    }
  }

  /** Prints what was held back. */
  close(): void {
    clearInterval(this.#timer);
    this.#bar?.stop();
    this.#bar = null;
    this.#statusLine?.stop();
    this.#statusLine = null;
    this.#print(this.#throttle.flush());
    this.#ignored.flush();
  }

  /** Adds the time for people; a service manager adds its own. */
  #print(lines: readonly MessageLine[]): void {
    const { printer, isLive } = this.#session;
    const time = isLive ? new Date().toTimeString().slice(0, 8) : null;
    printer.messages(lines, { time, about: 'order' });
  }

  #start(topic: string, group: string, remaining: number): void {
    const { printer } = this.#session;
    const { untilEnd, maxMessages } = this.#limits;
    const ending = untilEnd ? '' : '; Ctrl-C stops';
    printer.info(`consuming ${topic} as group ${group}: ${count(remaining, 'record')} to read${ending}`);
    if (!untilEnd && this.#session.isLive) this.#statusLine ??= new StatusLine(printer, this.#status);
    if (untilEnd && remaining > 0) {
      this.#bar = this.#startBar?.(printer, 'consume', Math.min(remaining, maxMessages ?? Infinity)) ?? null;
    }
  }

  #batch(results: readonly RecordResult[]): void {
    const { printer, isJson } = this.#session;
    this.#bar?.add(results.length);
    if (!this.#isEach) {
      this.#print(this.#throttle.add(results, performance.now()));
      return;
    }
    const line = isJson
      ? (result: RecordResult) => `${JSON.stringify(decisionDocument(viewDecision(result)))}\n`
      : (result: RecordResult) => `${decisionRow(viewDecision(result))}\n`;
    // Backpressure applies where batches are decoded; nothing here can wait.
    void printer.data(results.map(line).join(''));
  }

  #summary(summary: ConsumeSummary): void {
    const { printer, isJson } = this.#session;
    void printer.data(
      isJson
        ? `${JSON.stringify(summaryDocument(summary))}\n`
        : summaryLines(summary, printer, this.#isStopAsked),
    );
  }
}
