import type { Alert } from '../../domain/messages/shop/alert.ts';
import type { Broker } from '../../ports/broker.ts';
import type { Codec } from '../../ports/codec.ts';
import { pageFromEnd, type PageMark, type Row } from '../topics/from-end.ts';

export type { Alert };

/** Selects alerts that match everything that is not null. */
export interface AlertFilter {
  readonly item: string | null;
  readonly kind: Alert['kind'] | null;
  /** Inclusive, milliseconds since the epoch. */
  readonly sinceMs: number | null;
  /** Exclusive. */
  readonly untilMs: number | null;
}

export interface AlertPage {
  readonly alerts: readonly Alert[];
  readonly next: PageMark | null;
}

/**
 * Alerts a page at a time, the latest first, as far back as the topic keeps them. As pageFromEnd; without the topic there
 * are none.
 */
export async function alertPage(
  { broker, codec, topic }: { readonly broker: Broker; readonly codec: Codec<Alert>; readonly topic: string },
  options: {
    readonly filter: AlertFilter;
    readonly limit: number;
    readonly mark: PageMark | null;
    readonly signal?: AbortSignal;
  },
): Promise<AlertPage> {
  const { filter, ...page } = options;
  await using admin = await broker.admin();
  if ((await admin.partitionCount(topic)) === undefined) return { alerts: [], next: null };
  const ranges = new Map([[topic, await admin.ranges(topic)]]);
  const { rows, next } = await pageFromEnd<Alert>(admin, {
    ...{ ...page, ranges },
    rowsOf: async (_topic, partition, records) =>
      (await codec.decode(records)).map((decoded, at): Row<Alert> => {
        const { offset = 0, timestamp = 0 } = records[at] ?? {};
        // What is no alert is no concern of a list of them.
        if (decoded.kind !== 'message') return { at: timestamp, key: `${partition}:${offset}`, value: null };
        const alert = decoded.value;
        return { at: alert.at, key: alert.event_id, value: matches(alert, filter) ? alert : null };
      }),
  });
  return { alerts: rows, next };
}

function matches({ item, kind, at }: Alert, filter: AlertFilter): boolean {
  if (filter.item !== null && item !== filter.item) return false;
  if (filter.kind !== null && kind !== filter.kind) return false;
  if (filter.sinceMs !== null && at < filter.sinceMs) return false;
  return filter.untilMs === null || at < filter.untilMs;
}
