import type { Answer, Effect } from '../../domain/effects.ts';
import type { ProcessorName } from '../../domain/messages/message.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Tracer } from '../../ports/outside/tracer.ts';

/** A try of an effect that has a span. */
export interface TracedTry {
  /** The effect to perform: the other side continues the trace at this try. */
  readonly effect: Effect;
  end(answer: Answer): void;
}

/** @returns null: the try is not sampled */
export function beginTry(
  tracer: Tracer,
  effect: Effect,
  { processor, clock }: { readonly processor: ProcessorName; readonly clock: Clock },
): TracedTry | null {
  const { traceparent } = effect.fields;
  const span = tracer.begin(typeof traceparent === 'string' ? traceparent : null);
  if (span === null) return null;
  const startMs = clock.now();
  const { id, kind, attempts, fields } = effect;
  return {
    effect: { ...effect, fields: { ...fields, traceparent: span.traceparent } },
    end: (answer) => {
      const { outcome } = answer.kind === 'done' ? answer.fields : { outcome: 'failed' };
      tracer.end(span, {
        name: `${processor} ${kind}`,
        startMs,
        endMs: clock.now(),
        kind: kind === 'dispatch' || kind === 'log' ? 'internal' : 'client',
        attributes: {
          'orderctl.processor': processor,
          'orderctl.effect': id,
          'orderctl.attempt': attempts,
          ...(typeof outcome === 'string' ? { 'orderctl.outcome': outcome } : {}),
        },
        ...(answer.kind === 'failed' ? { error: answer.message } : {}),
      });
    },
  };
}
