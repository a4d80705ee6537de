/* Rows of the two tables that people edit. */

export const USER_STATUSES = ['paid', 'unpaid'] as const;
export type UserStatus = (typeof USER_STATUSES)[number];

export interface User {
  readonly user: string;
  readonly status: UserStatus;
  /** Unknown columns of the file, kept unchanged. */
  readonly extra: Readonly<Record<string, string>>;
}

interface Detail {
  /** In code. */
  readonly field: string;
  /** In files, JSON and SQL; `--reorder-level` is the flag of `reorder_level`. */
  readonly column: string;
  readonly kind: keyof DetailValues;
  /** In sentences. */
  readonly label: string;
}

interface DetailValues {
  text: string;
  /** A decimal string with two places, such as "12.50". */
  price: string;
  /** A whole number from 0 up. */
  quantity: number;
}

/**
 * The columns of an item other than its id and stock, in the order of inventory.csv. Files, JSON, flags, imports, SQL
 * statements and printed tables follow this list; the compiler or a test names what cannot.
 */
export const ITEM_DETAILS = [
  { field: 'name', column: 'name', kind: 'text', label: 'name' },
  { field: 'price', column: 'price', kind: 'price', label: 'price' },
  { field: 'reorderLevel', column: 'reorder_level', kind: 'quantity', label: 'reorder level' },
] as const satisfies readonly Detail[];

export type ItemDetail = (typeof ITEM_DETAILS)[number];
export type DetailKind = ItemDetail['kind'];

/** By field; null: the item has no such value. */
export type ItemDetails = { readonly [D in ItemDetail as D['field']]: DetailValues[D['kind']] | null };
type DetailsByColumn = { readonly [D in ItemDetail as D['column']]: DetailValues[D['kind']] | null };

export interface Item extends ItemDetails {
  readonly item: string;
  /** Stock on hand: a whole number, below zero if stores have sold more than the books had. */
  readonly quantity: number;
  /** Unknown columns of the file, kept unchanged. */
  readonly extra: Readonly<Record<string, string>>;
}

/** The column in which shops group their products. It is kept as any other extra column, but known by its name. */
export const CATEGORY = 'category';

export function categoryOf({ extra }: Pick<Item, 'extra'>): string | null {
  const text = Object.hasOwn(extra, CATEGORY) ? extra[CATEGORY] : '';
  return text === undefined || text === '' ? null : text;
}

/** A value of an item that an edit may set, other than the stock. */
export interface NamedDetail {
  readonly field: ItemDetail['field'] | typeof CATEGORY;
  readonly column: ItemDetail['column'] | typeof CATEGORY;
  readonly kind: DetailKind;
  readonly label: string;
  readonly of: (item: Item) => string | number | null;
}

/** The details, with the category after the name. */
export const NAMED_DETAILS: readonly NamedDetail[] = ITEM_DETAILS.flatMap((detail): NamedDetail[] => {
  const own = { ...detail, of: (item: Item) => item[detail.field] };
  if (detail.field !== 'name') return [own];
  return [own, { field: CATEGORY, column: CATEGORY, kind: 'text', label: CATEGORY, of: categoryOf }];
});

export const NO_DETAILS = Object.fromEntries(ITEM_DETAILS.map(({ field }) => [field, null])) as ItemDetails;

/** By field, in the order of the columns in the file. */
export function detailsOf(item: Item): ItemDetails {
  return Object.fromEntries(ITEM_DETAILS.map(({ field }) => [field, item[field]])) as ItemDetails;
}

/** By column, in the order of the file. */
export function detailsByColumn(item: Item): DetailsByColumn {
  return Object.fromEntries(
    ITEM_DETAILS.map(({ field, column }) => [column, item[field]]),
  ) as DetailsByColumn;
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
