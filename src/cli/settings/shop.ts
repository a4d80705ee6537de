import type { ShopOptions } from '../../app/run/shop.ts';
import type { Settings } from './resolve.ts';

/** The rules of the shop, as the settings have them. */
export function shopOf({ events, lowStock, users }: Settings): ShopOptions {
  return { events: events ? { lowStock: Number(lowStock) } : null, users };
}
