/** A span that has started. */
export interface BegunSpan {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** null: it is the root of its trace. */
  readonly parentSpanId: string | null;
  /** The `traceparent` header for what the span causes. */
  readonly traceparent: string;
}

/** The data of a span, known at its end. Names and attributes follow OpenTelemetry where it defines them. */
export interface SpanEnd {
  /** Must have low cardinality: it contains no id. */
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  /** Milliseconds since the epoch, with fractions. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** The `traceparent` headers of causes in other traces. */
  readonly links?: readonly string[];
  /** Why it failed; absent: it succeeded. */
  readonly error?: string;
}

/** Records traces, with which people can follow an order through the whole system. Never fails, and never blocks. */
export interface Tracer extends AsyncDisposable {
  /**
   * Starts a span. It has no effect until it ends.
   *
   * @param parent the `traceparent` header of the cause; null or an invalid header starts a new trace
   * @returns null: not sampled
   */
  begin(parent: string | null): BegunSpan | null;
  end(span: BegunSpan, end: SpanEnd): void;
  /** Sends the queued spans, for at most two seconds. */
  [Symbol.asyncDispose](): Promise<void>;
}
