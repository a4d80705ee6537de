import type { ProcessorName } from '../../domain/messages/message.ts';

/** The consumer group of a processor; `orders` has the one that is named in the settings. */
export function groupOf(processor: ProcessorName, group: string): string {
  return processor === 'orders' ? group : `${group}.${processor}`;
}
