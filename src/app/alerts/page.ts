import type { Alert } from '../../domain/messages/shop/alert.ts';
import type { Broker } from '../../ports/broker.ts';
import type { Codec } from '../../ports/codec.ts';
import type { PageMark } from '../topics/from-end.ts';
import { messagePage } from '../topics/message-page.ts';

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

/** One page of alerts. As messagePage. */
export async function alertPage(
  ports: { readonly broker: Broker; readonly codec: Codec<Alert>; readonly topic: string },
  options: {
    readonly filter: AlertFilter;
    readonly limit: number;
    readonly mark: PageMark | null;
    readonly signal?: AbortSignal;
  },
): Promise<AlertPage> {
  const { filter, ...page } = options;
  const { rows, next } = await messagePage<Alert>(ports, {
    ...page,
    at: ({ at }) => at,
    id: ({ event_id }) => event_id,
    isWanted: (alert) => matches(alert, filter),
  });
  return { alerts: rows, next };
}

function matches({ item, kind, at }: Alert, filter: AlertFilter): boolean {
  if (filter.item !== null && item !== filter.item) return false;
  if (filter.kind !== null && kind !== filter.kind) return false;
  if (filter.sinceMs !== null && at < filter.sinceMs) return false;
  return filter.untilMs === null || at < filter.untilMs;
}
