import { PLAIN_SHOP, type ShopOptions } from '../../app/run/shop.ts';
import type { Settings } from './resolve.ts';

/** The rules of the shop, as the settings have them. */
export function shopOf({ events, lowStock, users }: Settings): ShopOptions {
  return { ...PLAIN_SHOP, events: events ? { lowStock: Number(lowStock) } : null, users };
}
