import type { ProcessorName } from '../../domain/messages/message.ts';

/** The consumer group of a processor; the group of `orders` is the one in the settings. */
export function groupOf(processor: ProcessorName, group: string): string {
  return processor === 'orders' ? group : `${group}.${processor}`;
}
