import type { HandledEvent, OrdersEvent, RunEvent, RunSummary, Totals } from '../../../app/run/events.ts';
import type { ProcessorName } from '../../../domain/messages/message.ts';
import type { Session } from '../../session.ts';
import { DecisionThrottle, type MessageLine } from '../consume/decision-throttle.ts';
import { IgnoredPrices } from '../consume/ignored-prices.ts';
import { count } from '../text.ts';
import { printRunEvent } from './event.ts';
import { HandledLines } from './handled-lines.ts';
import { outcomesInWords, summaryDocument, summaryLines } from './summary.ts';

const TICK_MS = 1_000;

/** Reports each order's outcome while processors run, up to 20 a second, otherwise counts; then prints the summary. */
export class RunReport {
  readonly #session: Session;
  readonly #totals = new Map<ProcessorName, () => Totals>();
  readonly #throttle: DecisionThrottle;
  readonly #ignored: IgnoredPrices;
  readonly #timer: NodeJS.Timeout;
  readonly #handled = new HandledLines();
  /** The totals last reported for each processor. */
  readonly #said = new Map<ProcessorName, Totals>();
  #unsent: Extract<RunEvent, { kind: 'unsent' }> | null = null;
  #isStopAsked = false;

  constructor(session: Session) {
    this.#session = session;
    const { printer } = session;
    this.#throttle = new DecisionThrottle((level) => printer.says(level));
    this.#ignored = new IgnoredPrices(printer);
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
  }

  take(event: RunEvent | OrdersEvent | HandledEvent): void {
    const { printer } = this.#session;
    if (event.kind === 'started') {
      const { processor, topics, group, remaining, totals } = event;
      this.#totals.set(processor, totals);
      const what = count(remaining, 'record');
      printer.info(`${processor} reads ${topics.join(', ')} as group ${group}: ${what} to read`);
    } else if (event.kind === 'batch') {
      this.#print(this.#throttle.add(event.results, performance.now()));
    } else if (event.kind === 'handled') {
      this.#handled.add(event);
    } else if (event.kind === 'prices_ignored') {
      this.#ignored.add(event);
    } else if (event.kind === 'ended') {
      this.close();
      this.#summary(event.run);
    } else if (event.kind !== 'committed') {
      if (event.kind === 'unsent') this.#unsent = event;
      if (event.kind === 'stop_asked') this.#isStopAsked = true;
      printRunEvent(this.#session, event);
    }
  }

  /** Prints what was held back. */
  close(): void {
    clearInterval(this.#timer);
    this.#print(this.#throttle.flush());
    this.#ignored.flush();
    this.#sayTotals();
  }

  #print(decisions: readonly MessageLine[]): void {
    this.#session.printer.messages(decisions, { about: 'order' });
  }

  #tick(): void {
    this.#print(this.#throttle.tick(performance.now()));
    this.#ignored.flush();
    this.#sayTotals();
  }

  /** Prints the outcomes of records since the last call; the decision about each order is printed separately. */
  #sayTotals(): void {
    const one = this.#handled.take();
    for (const [name, totals] of this.#totals) {
      if (name === 'orders') continue;
      const now = totals();
      const before = this.#said.get(name);
      if (now.read === (before?.read ?? 0)) continue;
      this.#said.set(name, now);
      const lines = one.get(name) ?? [`${name}: ${outcomesInWords(now, before)}`];
      for (const line of lines) this.#session.printer.info(line);
    }
  }

  #summary(run: RunSummary): void {
    const { printer, isJson } = this.#session;
    const text = isJson
      ? `${JSON.stringify(summaryDocument(run, this.#unsent))}\n`
      : summaryLines(run, printer, this.#isStopAsked);
    void printer.data(text);
  }
}
