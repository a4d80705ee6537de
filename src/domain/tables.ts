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
  /** On hand: a whole number, below zero where stores have sold what the books did not have. */
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

/** The column in which shops group their products: kept as any other, and known by its name. */
export const CATEGORY = 'category';

export function categoryOf({ extra }: Pick<Item, 'extra'>): string | null {
  const text = Object.hasOwn(extra, CATEGORY) ? extra[CATEGORY] : '';
  return text === undefined || text === '' ? null : text;
}

/** In the order of the file. */
export function detailsOf({ name, price, reorderLevel }: Item): ItemDetails {
  return { name, price, reorderLevel };
}

export function isQuantity(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** The least to which an edit may take stock that is `onHand`: nothing, unless it is below that already. */
export function leastStock(onHand = 0): number {
  return Math.min(0, onHand);
}

/** Prices travel as Avro decimal(10, 2): up to eight digits before the point, two after. */
export function isPrice(text: string): boolean {
  return /^\d{1,8}(\.\d{1,2})?$/.test(text);
}

const SEPARATED = /^(\d{1,3}(?:[.,' \u00A0\u202F]\d{3})*|\d+)(?:[.,](\d{1,2}))?$/;

/**
 * What a number that is no price was probably meant to be: with a decimal comma, with thousands set apart, with a currency.
 *
 * @returns the ways to write it as a price, one but for `1.234`; empty where it is not clear
 */
export function meantPrices(text: string): readonly string[] {
  const bare = /[-−]/.test(text) ? '' : text.replace(/^\D+|\D+$/g, '');
  const [, whole = '', places] = SEPARATED.exec(bare) ?? [];
  const digits = whole.replace(/\D/g, '');
  if (digits === '') return [];
  if (places !== undefined) return [`${digits}.${places}`].filter(isPrice);
  const [, one = '', thousandths = ''] = /^(\d{1,3})[.,](\d{3})$/.exec(bare) ?? [];
  return [digits, ...(one === '' ? [] : [`${one}.${thousandths.slice(0, 2)}`])].filter(isPrice);
}

/** `12.5` → `12.50`. @param text a price by isPrice */
export function normalizePrice(text: string): string {
  const [whole = '0', fraction = ''] = text.split('.');
  return `${whole.replace(/^0+(?=\d)/, '')}.${fraction.padEnd(2, '0')}`;
}

/** Stock at or under this is low. @param lowStock the level of items that have none of their own */
export function reorderLevelOf({ reorderLevel }: Pick<Item, 'reorderLevel'>, lowStock: number): number {
  return reorderLevel ?? lowStock;
}

/** @param lowStock as in reorderLevelOf */
export function isLow(item: Pick<Item, 'quantity' | 'reorderLevel'>, lowStock: number): boolean {
  return item.quantity <= reorderLevelOf(item, lowStock);
}
