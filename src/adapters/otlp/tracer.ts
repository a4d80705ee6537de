import { randomFillSync } from 'node:crypto';
import { formatTraceparent, parseTraceparent, type TraceContext } from '../../domain/messages/trace.ts';
import type { Tracer } from '../../ports/outside/tracer.ts';
import { SpanQueue, type SpanQueueOptions } from './queue.ts';

/** Which traces are recorded: https://opentelemetry.io/docs/specs/otel/trace/sdk/#sampling */
export interface Sampler {
  /** The share of traces to record, from 0 to 1: of those that begin here, or of all if `followsParent` is false. */
  readonly ratio: number;
  /** A trace that began elsewhere is recorded here exactly if it is recorded there. */
  readonly followsParent: boolean;
}

export interface OtlpOptions extends SpanQueueOptions {
  readonly sampler: Sampler;
}

/** Sends spans over OTLP/HTTP, in JSON. */
export function createTracer({ sampler, ...options }: OtlpOptions): Tracer {
  const queue = new SpanQueue(options);
  return {
    begin(parent) {
      const cause = parseTraceparent(parent);
      const traceId = cause === null ? newTrace(sampler) : isSampled(cause, sampler) ? cause.traceId : null;
      if (traceId === null) return null;
      const spanId = hexOf(draw(SPAN_ID_BYTES), SPAN_ID_BYTES);
      const traceparent = formatTraceparent({ traceId, spanId, isSampled: true });
      return { traceId, spanId, parentSpanId: cause?.spanId ?? null, traceparent };
    },
    end: (span, end) => queue.add({ span, end }),
    [Symbol.asyncDispose]: () => queue.close(),
  };
}

const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;

/** When few traces are recorded, the others cost neither strings nor garbage. @returns null when not sampled */
function newTrace({ ratio }: Sampler): string | null {
  const at = draw(TRACE_ID_BYTES);
  const last = at + TRACE_ID_BYTES - 1;
  const isIn = isInShare(pool.readUIntBE(last - 6, 6) * 256 + pool.readUInt8(last), ratio);
  return isIn ? hexOf(at, TRACE_ID_BYTES) : null;
}

function isSampled(cause: TraceContext, { ratio, followsParent }: Sampler): boolean {
  return followsParent ? cause.isSampled : isInShare(Number.parseInt(cause.traceId.slice(-14), 16), ratio);
}

/** @param last the last 56 bits, which are random: all services that sample a trace get the same result */
function isInShare(last: number, ratio: number): boolean {
  return last < ratio * 2 ** 56;
}

/** Random bytes for many ids from one system call. */
const pool = Buffer.alloc(4096);
let used = pool.length;

/** @returns where in the pool this many random bytes start */
function draw(bytes: number): number {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const at = used;
  used += bytes;
  // An id must not be all zeros; one that starts with four zero bytes is rare enough to skip as well.
  return pool.readUInt32BE(at) === 0 ? draw(bytes) : at;
}

function hexOf(at: number, bytes: number): string {
  return pool.toString('hex', at, at + bytes);
}
