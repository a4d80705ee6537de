/** A span that has begun, and what it leads to carries as the header `traceparent`. */
export interface BegunSpan {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** null: it begins its trace. */
  readonly parentSpanId: string | null;
  readonly traceparent: string;
}

/** What a span was, once that is known. Names and attributes are those of OpenTelemetry where it has one. */
export interface SpanEnd {
  /** Of low cardinality: no id is in it. */
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  /** Milliseconds since the epoch, with fractions. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** Headers `traceparent` of what it comes from in other traces. */
  readonly links?: readonly string[];
  /** Why it failed; absent: it did not. */
  readonly error?: string;
}

/** Records what happens when, for people to follow one order through all that it meets. Never fails, and never waits. */
export interface Tracer extends AsyncDisposable {
  /**
   * Begins a span, which is of no consequence until it ends.
   *
   * @param parent the header `traceparent` of the cause; null, or one that is none: it begins a trace
   * @returns null: it is not sampled
   */
  begin(parent: string | null): BegunSpan | null;
  end(span: BegunSpan, end: SpanEnd): void;
  /** Sends what waits, for two seconds at most. */
  [Symbol.asyncDispose](): Promise<void>;
}
