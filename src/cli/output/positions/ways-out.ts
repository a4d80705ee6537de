import type { TypedAdvice } from '../../../domain/advice.ts';

export type Ways = {
  readonly [K in TypedAdvice['kind']]: (advice: TypedAdvice & { readonly kind: K }) => string;
};

type Reader = (TypedAdvice & { readonly kind: 'other_cluster' })['reader'];

const AGAIN = {
  cluster: 'if it is another cluster, name the right one with --brokers',
  topic: 'if the topic was recreated, or an unclean election cut off its end',
};

/** Fixes for stored positions that do not fit the topic; `orderctl consume` moves only those of `orders`. */
export const WAYS_OF_POSITIONS: Pick<
  Ways,
  'other_cluster' | 'topic_changed' | 'topic_made_again' | 'offsets_gone' | 'read_again' | 'skip_batch'
> = {
  other_cluster: ({ reader }) =>
    reader === undefined
      ? `${AGAIN.cluster}; to start again on a new topic of that name: ` +
        'orderctl consume --reset-to earliest (decided ids stay decided)'
      : `${AGAIN.cluster}; to start again on a new topic of that name: ` +
        `orderctl setup --execute; then ${resetOf(reader, 'earliest')}; existing decisions stay`,
  topic_changed: ({ reader }) =>
    reader === undefined
      ? `check --brokers and --topic; ${AGAIN.topic}, read it from its beginning with: ` +
        'orderctl consume --reset-to earliest (orders decided before stay decided)'
      : `check --brokers; ${AGAIN.topic}, read it from its beginning with: ` +
        `${resetOf(reader, 'earliest')}; existing decisions stay`,
  topic_made_again: () =>
    'see: orderctl offsets show; "orderctl consume" says what to do when the topic was recreated',
  offsets_gone: ({ partition, reader }) =>
    reader === undefined
      ? 'read the remaining records again with: orderctl consume --reset-to earliest (order ids prevent duplicates); ' +
        `or continue elsewhere with: orderctl consume --reset-to latest --partitions ${partition} (or an offset)`
      : `read the remaining records again with: ${resetOf(reader, 'earliest')} (existing decisions stay); ` +
        `or continue elsewhere with: ${resetOf(reader, 'latest', partition)} (or an offset)`,
  read_again: ({ processor, topic, partition, offset }) =>
    `read it again: ${resetOf(processor === 'orders' ? undefined : { processor, topic }, offset, partition)}; existing decisions stay`,
  skip_batch: ({ partition, next, reader }) =>
    `the record is corrupt in Kafka itself; skip it with: ${
      reader === undefined
        ? `orderctl consume --reset-to ${next} --partitions ${partition}`
        : resetOf(reader, next, partition)
    }`,
};

function resetOf(reader: Reader, to: number | string, partition: number | null = null): string {
  const whose = reader === undefined ? '' : ` --processor ${reader.processor} --source ${reader.topic}`;
  const which = partition === null ? '' : ` --partitions ${partition}`;
  return `orderctl offsets reset${whose} --to ${to}${which} --execute`;
}
