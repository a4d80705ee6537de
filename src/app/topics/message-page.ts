import type { Broker } from '../../ports/broker.ts';
import type { Codec } from '../../ports/codec.ts';
import { pageFromEnd, type Page, type PageMark, type Row } from './from-end.ts';

export interface MessagePageOptions<T> {
  /** The time of the event, in milliseconds since the epoch. */
  readonly at: (message: T) => number;
  /** The id, which is the same for a message that was sent twice. */
  readonly id: (message: T) => string;
  readonly isWanted: (message: T) => boolean;
  readonly limit: number;
  /** null: start from the end. */
  readonly mark: PageMark | null;
  readonly signal?: AbortSignal;
}

/**
 * One page of the messages of one kind, latest first, as far back as their topic keeps them. As pageFromEnd; empty when
 * the topic does not exist.
 */
export async function messagePage<T>(
  { broker, codec, topic }: { readonly broker: Broker; readonly codec: Codec<T>; readonly topic: string },
  { at: timeOf, id, isWanted, ...page }: MessagePageOptions<T>,
): Promise<Page<T>> {
  await using admin = await broker.admin();
  if ((await admin.partitionCount(topic)) === undefined) return { rows: [], next: null };
  const ranges = new Map([[topic, await admin.ranges(topic)]]);
  return await pageFromEnd<T>(admin, {
    ...page,
    ranges,
    rowsOf: async (_topic, partition, records) =>
      (await codec.decode(records)).map((decoded, at): Row<T> => {
        const { offset = 0, timestamp = 0 } = records[at] ?? {};
        // Records that are not such a message are not listed.
        if (decoded.kind !== 'message') return { at: timestamp, key: `${partition}:${offset}`, value: null };
        const message = decoded.value;
        return { at: timeOf(message), key: id(message), value: isWanted(message) ? message : null };
      }),
  });
}
