import { parseTraceparent } from '../../domain/messages/trace.ts';
import type { BegunSpan, SpanEnd } from '../../ports/outside/tracer.ts';

/*
 * Encodes spans as OTLP in JSON: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding and
 * opentelemetry/proto/trace/v1/trace.proto. There, ids are hexadecimal, and 64-bit numbers are decimal strings.
 */

export interface EndedSpan {
  readonly span: BegunSpan;
  readonly end: SpanEnd;
}

/** Span.SpanKind */
const KINDS: Readonly<Record<SpanEnd['kind'], number>> = {
  internal: 1,
  server: 2,
  client: 3,
  producer: 4,
  consumer: 5,
};
/** Status.STATUS_CODE_ERROR */
const ERROR = 2;

/** An ExportTraceServiceRequest. @param resource what produced the spans, such as `service.name` */
export function exportRequest(
  spans: readonly EndedSpan[],
  resource: Readonly<Record<string, string>>,
  version: string,
): string {
  return JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: attributesOf(resource) },
        scopeSpans: [{ scope: { name: 'orderctl', version }, spans: spans.map(spanOf) }],
      },
    ],
  });
}

function spanOf({ span, end }: EndedSpan): object {
  const { traceId, spanId, parentSpanId } = span;
  const { name, kind, startMs, endMs, attributes, links = [], error } = end;
  return {
    traceId,
    spanId,
    ...(parentSpanId === null ? {} : { parentSpanId }),
    name,
    kind: KINDS[kind],
    startTimeUnixNano: nanos(startMs),
    endTimeUnixNano: nanos(endMs),
    attributes: attributesOf(attributes),
    ...(links.length === 0 ? {} : { links: links.map(linkOf) }),
    ...(error === undefined ? {} : { status: { code: ERROR, message: error } }),
  };
}

/** @param traceparent must be valid */
function linkOf(traceparent: string): object {
  const { traceId, spanId } = parseTraceparent(traceparent) ?? {};
  return { traceId, spanId };
}

/** To the microsecond: a number cannot hold the nanoseconds since the epoch. */
function nanos(ms: number): string {
  return `${Math.round(ms * 1000)}000`;
}

function attributesOf(values: Readonly<Record<string, string | number | boolean>>): object[] {
  return Object.entries(values).map(([key, value]) => ({ key, value: valueOf(value) }));
}

function valueOf(value: string | number | boolean): object {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
