import type { SourceEvent, SourceName } from '../../app/send/sources.ts';
import { systemClock } from '../../compose.ts';
import { Failure } from '../../domain/failure.ts';
import type { Item } from '../../domain/tables.ts';
import { nameOf } from '../parse.ts';
import { readLines } from './order.ts';

export interface EventFlags {
  readonly item?: readonly string[];
  readonly quantity?: readonly string[];
  /** The id of the event. */
  readonly orderId?: string;
  readonly storeId?: string;
  readonly supplierId?: string;
}

const EXAMPLE = 'for example: orderctl produce --source store --store-id S1 --item pen=2';

/**
 * Reads events from flags, one for each --item; the items need not exist.
 *
 * @param source `all` if none is named
 * @returns null: no event is given
 * @throws Failure usage, invalid_value
 */
export function readEvents(
  flags: EventFlags,
  source: SourceName | 'all',
  items: readonly Item[],
  newId: () => string,
): readonly SourceEvent[] | null {
  const { orderId, storeId, supplierId } = flags;
  if (flags.item === undefined && flags.quantity === undefined) {
    const [flag] = Object.entries({
      '--order-id': orderId,
      '--store-id': storeId,
      '--supplier-id': supplierId,
    })
      .filter(([, value]) => value !== undefined)
      .map(([name]) => name);
    if (flag === undefined) return null;
    throw new Failure('usage', `${flag} is for a single event, but --item is missing`, { fix: EXAMPLE });
  }
  if (source === 'all') {
    throw new Failure('usage', 'an event with --item needs a single source, not all', { fix: EXAMPLE });
  }
  if ((storeId !== undefined && source !== 'store') || (supplierId !== undefined && source !== 'supplier')) {
    const [flag, other] = storeId === undefined ? ['--supplier-id', 'supplier'] : ['--store-id', 'store'];
    throw new Failure('usage', `${flag} does not apply to --source ${source}`, {
      fix: `use --source ${other}`,
    });
  }
  const lines = readLines(flags, `events of --source ${source} need`, EXAMPLE);
  if (orderId !== undefined && lines.length > 1) {
    throw new Failure('usage', '--order-id is for a single event, but several items are given', {
      fix: 'omit it: each event gets an id of its own',
    });
  }
  const prices = new Map(items.map(({ item, price }) => [item, price]));
  return lines.map(({ item, quantity }) => {
    const event_id = orderId === undefined ? newId() : nameOf('--order-id', orderId);
    const fields = {
      event_id,
      product_id: item,
      quantity,
      occurred_at: systemClock.now(),
      unit_price: prices.get(item) ?? null,
      order_id: source === 'online' ? `WEB-${event_id}` : null,
      ...(storeId === undefined ? {} : { store_id: nameOf('--store-id', storeId) }),
      ...(supplierId === undefined ? {} : { supplier_id: nameOf('--supplier-id', supplierId) }),
    };
    return { source, fields };
  });
}
