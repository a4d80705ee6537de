import type { Advice } from '../../domain/advice.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import type { ProcessorName } from '../../domain/messages/message.ts';

interface Reader {
  readonly processor: ProcessorName;
  readonly topic: string;
}

/** Adapts advice to the positions of this processor; `orders` has flags of its own. */
export function withReader(advice: Advice, reader: Reader): Advice {
  if (typeof advice === 'string' || reader.processor === 'orders') return advice;
  const of = { reader: { processor: reader.processor, topic: reader.topic } };
  // The topics of the other processors have no flag, and a run does not recreate a topic that was read.
  if (advice.kind === 'other_topic') return { kind: 'other_cluster', ...of };
  if (advice.kind === 'other_cluster' || advice.kind === 'topic_changed') return { ...advice, ...of };
  if (advice.kind === 'offsets_gone' || advice.kind === 'skip_batch') return { ...advice, ...of };
  return advice;
}

/** Adapts the fix of a reading failure to this processor: the code that reads from Kafka only knows topics. */
export function ofReader(error: unknown, processor: ProcessorName): unknown {
  if (!isFailure(error) || error.fix === null || error.context.topic === undefined) return error;
  const { code, message, context, cause } = error;
  const fix = withReader(error.fix, { processor, topic: error.context.topic });
  return fix === error.fix ? error : new Failure(code, message, { fix, context, cause });
}
