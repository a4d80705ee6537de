import type { HandledEvent } from '../../../app/run/events.ts';
import type { ProcessorName } from '../../../domain/messages/message.ts';
import { formatRecordId } from '../../../domain/orders/order.ts';
import { LINES_A_SECOND } from '../consume/decision-throttle.ts';
import { printable } from '../text.ts';

/** The outcomes of individual messages since the last call of `take`, as long as there are few. */
export class HandledLines {
  readonly #of = new Map<ProcessorName, string[]>();
  #count = 0;

  add({ processor, results }: HandledEvent): void {
    this.#count += results.length;
    if (this.#count > LINES_A_SECOND) return;
    const lines = this.#of.get(processor) ?? [];
    this.#of.set(processor, lines);
    for (const result of results) {
      lines.push(
        result.kind === 'dead_letter'
          ? `${processor} ${formatRecordId(result.record)}: dead letter, ${result.code}: ${printable(result.message)}`
          : `${processor} ${result.about}: ${printable(result.detail)}`,
      );
    }
  }

  /** @returns lines by processor; empty if there are too many in all to be read one by one */
  take(): ReadonlyMap<ProcessorName, readonly string[]> {
    const lines = this.#count > LINES_A_SECOND ? new Map<ProcessorName, string[]>() : new Map(this.#of);
    this.#of.clear();
    this.#count = 0;
    return lines;
  }
}
