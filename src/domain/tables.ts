/** Rows of the two tables that people keep. */

export const USER_STATUSES = ['paid', 'unpaid'] as const;
export type UserStatus = (typeof USER_STATUSES)[number];

export interface User {
  readonly user: string;
  readonly status: UserStatus;
  /** Columns of the file that are not ours, kept as they are. */
  readonly extra: Readonly<Record<string, string>>;
}

export interface Item {
  readonly item: string;
  /** On hand: a whole number from 0 to 2^53 − 1. */
  readonly quantity: number;
  readonly name: string | null;
  /** A decimal string with at most two places, such as "12.50". */
  readonly price: string | null;
  readonly reorderLevel: number | null;
  /** Columns of the file that are not ours, kept as they are. */
  readonly extra: Readonly<Record<string, string>>;
}

/** The columns of an item beside its name and stock. */
export type ItemDetails = Omit<Item, 'item' | 'quantity' | 'extra'>;

/** In the order of the file. */
export function detailsOf({ name, price, reorderLevel }: Item): ItemDetails {
  return { name, price, reorderLevel };
}

export function isQuantity(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** Prices travel as Avro decimal(10, 2): up to eight digits before the point, two after. */
export function isPrice(text: string): boolean {
  return /^\d{1,8}(\.\d{1,2})?$/.test(text);
}

/** `12.5` → `12.50`. @param text a price by isPrice */
export function normalizePrice(text: string): string {
  const [whole = '0', fraction = ''] = text.split('.');
  return `${whole.replace(/^0+(?=\d)/, '')}.${fraction.padEnd(2, '0')}`;
}

/** At or under its reorder level. */
export function isLow(item: Item): boolean {
  return item.reorderLevel !== null && item.quantity <= item.reorderLevel;
}
