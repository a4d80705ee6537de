/* Rows of the two tables that people edit. */

export const USER_STATUSES = ['paid', 'unpaid'] as const;
export type UserStatus = (typeof USER_STATUSES)[number];

export interface User {
  readonly user: string;
  readonly status: UserStatus;
  /** Unknown columns of the file, kept unchanged. */
  readonly extra: Readonly<Record<string, string>>;
}

export interface Item {
  readonly item: string;
  /** Stock on hand: a whole number, below zero if stores have sold more than the books had. */
  readonly quantity: number;
  readonly name: string | null;
  /** A decimal string with at most two places, such as "12.50". */
  readonly price: string | null;
  readonly reorderLevel: number | null;
  /** Unknown columns of the file, kept unchanged. */
  readonly extra: Readonly<Record<string, string>>;
}

/** The columns of an item other than its id and stock. */
export type ItemDetails = Omit<Item, 'item' | 'quantity' | 'extra'>;

/** The column in which shops group their products. It is kept as any other extra column, but known by its name. */
export const CATEGORY = 'category';

export function categoryOf({ extra }: Pick<Item, 'extra'>): string | null {
  const text = Object.hasOwn(extra, CATEGORY) ? extra[CATEGORY] : '';
  return text === undefined || text === '' ? null : text;
}

/** The details, in the order of the columns in the file. */
export function detailsOf({ name, price, reorderLevel }: Item): ItemDetails {
  return { name, price, reorderLevel };
}

export function isQuantity(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** The lowest stock to which an edit may reduce `onHand`: zero, or `onHand` itself if that is below zero. */
export function leastStock(onHand = 0): number {
  return Math.min(0, onHand);
}

/** Prices are sent as Avro decimal(10, 2): up to eight digits before the point, two after. */
export function isPrice(text: string): boolean {
  return /^\d{1,8}(\.\d{1,2})?$/.test(text);
}

const SEPARATED = /^(\d{1,3}(?:[.,' \u00A0\u202F]\d{3})*|\d+)(?:[.,](\d{1,2}))?$/;

/**
 * The prices that invalid text probably means: text with a decimal comma, thousands separators or a currency.
 *
 * @returns one price, two for an ambiguous text such as `1.234`, none if the meaning is not clear
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

/** `12.5` → `12.50`. @param text valid by isPrice */
export function normalizePrice(text: string): string {
  const [whole = '0', fraction = ''] = text.split('.');
  return `${whole.replace(/^0+(?=\d)/, '')}.${fraction.padEnd(2, '0')}`;
}

/** The stock level at or below which an item is low. @param lowStock the level of items that define none */
export function reorderLevelOf({ reorderLevel }: Pick<Item, 'reorderLevel'>, lowStock: number): number {
  return reorderLevel ?? lowStock;
}

/** @param lowStock as for reorderLevelOf */
export function isLow(item: Pick<Item, 'quantity' | 'reorderLevel'>, lowStock: number): boolean {
  return item.quantity <= reorderLevelOf(item, lowStock);
}
