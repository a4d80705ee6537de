import type { Outcome, Processor } from '../../src/processors/processor.ts';
import type { ModelFolder } from './model.ts';

/**
 * Has a processor process messages of its first source, in one commit on the model store.
 *
 * @returns the outcome of each
 */
export async function receive<M, R extends Outcome>(
  folder: ModelFolder,
  processor: Processor<M, R>,
  messages: readonly M[],
): Promise<readonly R[]> {
  const source = processor.sources[0]?.name ?? '';
  const received = messages.map((message, offset) => {
    return { source, message, record: { topic: source, partition: 0, offset }, traceparent: null };
  });
  await using store = await folder.own({ purpose: 'test', via: 'consume', onNotice: () => undefined });
  return await store.transact(processor.keys(received), (state) => {
    const { changes, results } = processor.decide(received, state);
    return { changes, result: results };
  });
}
