import type { Advice } from '../../domain/advice.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import type { ProcessorName } from '../../domain/messages/message.ts';

interface Reader {
  readonly processor: ProcessorName;
  readonly topic: string;
}

/** What leads out of it for the positions of this processor; those of `orders` have ways of their own. */
export function withReader(advice: Advice, reader: Reader): Advice {
  if (typeof advice === 'string' || reader.processor === 'orders') return advice;
  const of = { reader: { processor: reader.processor, topic: reader.topic } };
  // The topics of the others have no flag, and a topic that was read is not made by a start.
  if (advice.kind === 'other_topic') return { kind: 'other_cluster', ...of };
  if (advice.kind === 'other_cluster' || advice.kind === 'topic_changed') return { ...advice, ...of };
  if (advice.kind === 'offsets_gone' || advice.kind === 'skip_batch') return { ...advice, ...of };
  return advice;
}

/** A failure to read, with the way out for this processor: what reads from Kafka knows topics only. */
export function ofReader(error: unknown, processor: ProcessorName): unknown {
  if (!isFailure(error) || error.fix === null || error.context.topic === undefined) return error;
  const { code, message, context, cause } = error;
  const fix = withReader(error.fix, { processor, topic: error.context.topic });
  return fix === error.fix ? error : new Failure(code, message, { fix, context, cause });
}
