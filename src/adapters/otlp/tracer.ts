import { randomFillSync } from 'node:crypto';
import { formatTraceparent, parseTraceparent } from '../../domain/messages/trace.ts';
import type { Tracer } from '../../ports/outside/tracer.ts';
import { SpanQueue, type SpanQueueOptions } from './queue.ts';

/** Which traces are recorded: https://opentelemetry.io/docs/specs/otel/trace/sdk/#sampling */
export interface Sampler {
  /** Of traces that begin here, and of all where `followsParent` is false; from 0 to 1. */
  readonly ratio: number;
  /** A trace that began elsewhere is recorded if and only if it is recorded there. */
  readonly followsParent: boolean;
}

export interface OtlpOptions extends SpanQueueOptions {
  readonly sampler: Sampler;
}

/** Sends spans by OTLP/HTTP, in JSON. */
export function createTracer({ sampler, ...options }: OtlpOptions): Tracer {
  const queue = new SpanQueue(options);
  return {
    begin(parent) {
      const cause = parseTraceparent(parent);
      const traceId = cause?.traceId ?? newId(TRACE_ID_BYTES);
      const isSampled =
        cause !== null && sampler.followsParent ? cause.isSampled : isInShare(traceId, sampler.ratio);
      if (!isSampled) return null;
      const spanId = newId(SPAN_ID_BYTES);
      const traceparent = formatTraceparent({ traceId, spanId, isSampled });
      return { traceId, spanId, parentSpanId: cause?.spanId ?? null, traceparent };
    },
    end: (span, end) => queue.add({ span, end }),
    [Symbol.asyncDispose]: () => queue.close(),
  };
}

/** By the last 56 bits, which are random: all who sample a trace so come to the same result. */
function isInShare(traceId: string, ratio: number): boolean {
  return Number.parseInt(traceId.slice(-14), 16) < ratio * 2 ** 56;
}

const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;
/** One call of the system for many ids. */
const pool = Buffer.alloc(4096);
let used = pool.length;

function newId(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const id = pool.toString('hex', used, used + bytes);
  used += bytes;
  // Zeros alone are no id.
  return /[^0]/.test(id) ? id : newId(bytes);
}
