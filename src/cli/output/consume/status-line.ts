import type { ConsumerStatus, RunningConsumer } from '../../../ports/owner.ts';
import type { Printer } from '../printer.ts';
import { stateInWords } from '../status.ts';
import type { Terminal } from '../terminal.ts';
import { count, grouped } from '../text.ts';

const EVERY_MS = 1_000;

/** The consumer's status in the last line of the terminal; other output scrolls above it. */
export class StatusLine {
  readonly #printer: Printer;
  readonly #terminal: Terminal;
  readonly #timer: NodeJS.Timeout;
  #text = '';
  #isStopped = false;

  /** @param ask returns the status that the consumer reports */
  constructor(printer: Printer, ask: () => Promise<RunningConsumer | null>) {
    this.#printer = printer;
    this.#terminal = printer.terminal;
    printer.attach({
      clear: () => this.#terminal.clearLine(),
      draw: () => this.#terminal.write(this.#text),
    });
    const look = async (): Promise<void> => {
      // A consumer too busy to answer shows that by the decisions that it prints.
      const consumer = await ask().catch(() => null);
      if (consumer === null || this.#isStopped) return;
      this.#text = statusText(consumer.status);
      this.#terminal.clearLine();
      this.#terminal.write(this.#text);
    };
    this.#timer = setInterval(() => void look(), EVERY_MS);
    this.#timer.unref();
  }

  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#timer);
    this.#printer.detach();
  }
}

/** `240 orders/s, lag 1,234 · 3,000 accepted, 12 rejected, 0 dead letters · waiting for the brokers` */
export function statusText(status: ConsumerStatus): string {
  const { ordersPerSecond, lag, counts } = status;
  const rate = `${grouped(Math.round(ordersPerSecond))} orders/s, lag ${lag === null ? 'unknown' : grouped(lag)}`;
  const decided = `${grouped(counts.accepted)} accepted, ${grouped(counts.rejected)} rejected`;
  const state = status.state === 'consuming' ? [] : [stateInWords(status)];
  return [...state, rate, `${decided}, ${count(counts.deadLettered, 'dead letter')}`].join(' · ');
}
