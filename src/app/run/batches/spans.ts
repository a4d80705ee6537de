import type { Decided } from '../../../domain/orders/decided.ts';
import type { ProcessorName } from '../../../domain/messages/message.ts';
import type { BrokerRecord } from '../../../ports/broker.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { BegunSpan, Tracer } from '../../../ports/outside/tracer.ts';
import { headerText } from '../../../ports/record.ts';
import { causeOf } from '../../tracing/cause.ts';

interface SpansOf {
  readonly processor: ProcessorName;
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly BrokerRecord[];
}

/** The part of any kind of result that spans need. */
interface Result {
  readonly kind: string;
  /** For a dead letter. */
  readonly code?: string;
  /** For an order with a decision. */
  readonly decided?: Pick<Decided, 'outcome'>;
}

/** A span for each record of a batch. All of them start when processing of the batch starts, and end at its commit. */
export class BatchSpans {
  readonly #tracer: Tracer;
  readonly #of: SpansOf;
  readonly #clock: Clock;
  readonly #startMs: number;
  readonly #spans: readonly (BegunSpan | null)[];

  constructor(tracer: Tracer, of: SpansOf, clock: Clock) {
    this.#tracer = tracer;
    this.#of = of;
    this.#clock = clock;
    this.#startMs = clock.now();
    this.#spans = of.records.map((record) => tracer.begin(causeOf(record)));
  }

  /** The parent for spans of what the record at this index leads to; null: the record has no span. */
  traceparentOf(index: number): string | null {
    return this.#spans[index]?.traceparent ?? null;
  }

  /** Ends the spans, after the commit. @param results one for each record, in the same order */
  end(results: readonly Result[]): void {
    const { processor, group, topic, partition, records } = this.#of;
    const endMs = this.#clock.now();
    for (const [index, span] of this.#spans.entries()) {
      const record = records[index];
      const result = results[index];
      if (span === null || record === undefined || result === undefined) continue;
      this.#tracer.end(span, {
        name: `${processor} process ${topic}`,
        kind: 'consumer',
        startMs: this.#startMs,
        endMs,
        attributes: {
          'messaging.system': 'kafka',
          'messaging.operation.type': 'process',
          'messaging.destination.name': topic,
          'messaging.destination.partition.id': String(partition),
          'messaging.kafka.offset': record.offset,
          'messaging.consumer.group.name': group,
          'messaging.kafka.message.key': headerText(record.key) ?? '',
          'orderctl.processor': processor,
          'orderctl.outcome': outcomeOf(result),
        },
        ...(result.kind === 'dead_letter' ? { error: result.code ?? '' } : {}),
      });
    }
  }
}

function outcomeOf({ kind, decided }: Result): string {
  return decided?.outcome.kind ?? kind;
}
