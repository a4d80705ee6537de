import type { SourceEvent, SourceName } from '../../app/send/sources.ts';
import { systemClock } from '../../compose.ts';
import { Failure } from '../../domain/failure.ts';
import type { Item } from '../../domain/tables.ts';
import { nameOf } from '../parse.ts';
import { readLines } from './order.ts';

export interface EventFlags {
  readonly item?: readonly string[];
  readonly quantity?: readonly string[];
  /** Of the event. */
  readonly orderId?: string;
  readonly storeId?: string;
  readonly supplierId?: string;
}

const EXAMPLE = 'for example: orderctl produce --source store --store-id S1 --item pen=2';

/**
 * The events that are given by flags, one for each item, also of items that do not exist; null: none is given.
 *
 * @param source `all` where none is named
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
    throw new Failure('usage', `${flag} is about one event: --item is missing`, { fix: EXAMPLE });
  }
  if (source === 'all') {
    throw new Failure('usage', 'one event comes from one source, and not from all', { fix: EXAMPLE });
  }
  if ((storeId !== undefined && source !== 'store') || (supplierId !== undefined && source !== 'supplier')) {
    const [flag, other] = storeId === undefined ? ['--supplier-id', 'supplier'] : ['--store-id', 'store'];
    throw new Failure('usage', `${flag} is not of --source ${source}`, { fix: `use --source ${other}` });
  }
  const lines = readLines(flags, `events of --source ${source} take`, EXAMPLE);
  if (orderId !== undefined && lines.length > 1) {
    throw new Failure('usage', '--order-id names one event, and several items are given', {
      fix: 'leave it out: each event gets an id of its own',
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
