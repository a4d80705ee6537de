import type { Broker } from '../../ports/broker.ts';
import type { Codec } from '../../ports/codec.ts';
import { pageFromEnd, type Page, type PageMark, type Row } from './from-end.ts';

export interface MessagePageOptions<T> {
  /** When it happened, milliseconds since the epoch. */
  readonly at: (message: T) => number;
  /** The same for a message that was sent twice. */
  readonly id: (message: T) => string;
  readonly isWanted: (message: T) => boolean;
  readonly limit: number;
  /** null: from the end. */
  readonly mark: PageMark | null;
  readonly signal?: AbortSignal;
}

/**
 * Messages of one kind a page at a time, the latest first, as far back as their topic keeps them. As pageFromEnd; without
 * the topic there are none.
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
        // What is no such message is no concern of a list of them.
        if (decoded.kind !== 'message') return { at: timestamp, key: `${partition}:${offset}`, value: null };
        const message = decoded.value;
        return { at: timeOf(message), key: id(message), value: isWanted(message) ? message : null };
      }),
  });
}
