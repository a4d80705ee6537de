import { formatTraceparent, parseTraceparent } from '../../src/domain/messages/trace.ts';
import type { BegunSpan, SpanEnd, Tracer } from '../../src/ports/outside/tracer.ts';

/** Records spans. Traces that start here are sampled, all others as their header says; ids are consecutive. */
export class RecordingTracer implements Tracer {
  readonly spans: (BegunSpan & SpanEnd)[] = [];
  #begun = 0;

  begin(parent: string | null): BegunSpan | null {
    const cause = parseTraceparent(parent);
    if (cause?.isSampled === false) return null;
    this.#begun += 1;
    const spanId = String(this.#begun).padStart(16, '0');
    const traceId = cause?.traceId ?? String(this.#begun).padStart(32, '0');
    const traceparent = formatTraceparent({ traceId, spanId, isSampled: true });
    return { traceId, spanId, parentSpanId: cause?.spanId ?? null, traceparent };
  }

  end(span: BegunSpan, end: SpanEnd): void {
    this.spans.push({ ...span, ...end });
  }

  named(name: string): (BegunSpan & SpanEnd)[] {
    return this.spans.filter((span) => span.name === name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is pending.
  }
}
