import { isFields, own, Refusal, show, timeOf, type FieldProblem, type Fields } from '../messages/fields.ts';
import { isName, NAME_RULE } from '../names.ts';
import type { Order, OrderLine } from './order.ts';
import { priceOf } from './price.ts';

/** Prices that are not amounts, whose lines are stored without a price. */
export interface IgnoredPrices {
  readonly count: number;
  /** The problem with the first of them. */
  readonly message: string;
}

export type ParsedOrder =
  | { readonly order: Order; readonly ignored: IgnoredPrices | null; readonly problem?: never }
  | { readonly problem: FieldProblem; readonly order?: never; readonly ignored?: never };

export interface OrderDefaults {
  /** Used if an order has no creation time: milliseconds since the epoch, or NaN. */
  readonly createdAt: number;
  /** Creates the id of an order that has none; absent: such an order is invalid. */
  readonly newOrderId?: () => string;
  /** Whether an order may have no user, in which case its `user` is empty; absent: required. */
  readonly users?: 'required' | 'optional' | undefined;
}

/** Names of these fields in orders of other producers, as in the event schema. */
const ALIASES = { user: ['user', 'customer_id'], item: ['item', 'product_id'] } as const;

/**
 * Parses an order from named values, as decoded from JSON or from Avro with any schema. Unknown fields are ignored. An
 * order of one item may be flat. Quantities may be any number; the decision checks whether they are acceptable.
 */
export function parseOrder(value: unknown, defaults: OrderDefaults): ParsedOrder {
  try {
    if (!isFields(value)) throw new Refusal('invalid_field', `an order is an object, not ${show(value)}`);
    const given = own(value, 'order_id');
    const orderId =
      given === undefined && defaults.newOrderId !== undefined
        ? defaults.newOrderId()
        : readName(value, ['order_id']);
    const user = defaults.users === 'optional' && isWithoutUser(value) ? '' : readName(value, ALIASES.user);
    const ignored: Ignored = { current: null };
    const items = readLines(value, ignored);
    const time = own(value, 'created_at');
    const createdAt = time === undefined ? defaults.createdAt : timeOf(time, 'created_at');
    return { order: { orderId, user, items, createdAt }, ignored: ignored.current };
  } catch (error) {
    if (error instanceof Refusal) return { problem: { code: error.code, message: error.message } };
    throw error;
  }
}

/** The user is left out, null or empty. An Avro string that is not nullable can only be empty. */
function isWithoutUser(fields: Fields): boolean {
  return ALIASES.user.every((name) => (own(fields, name) ?? '') === '');
}

function firstOf(fields: Fields, names: readonly string[]): unknown {
  for (const name of names) {
    const value = own(fields, name);
    if (value !== undefined) return value;
  }
  throw new Refusal('missing_field', `field ${names[0] ?? ''} is missing`);
}

function readName(fields: Fields, names: readonly string[]): string {
  const value = firstOf(fields, names);
  if (typeof value !== 'string')
    throw new Refusal('invalid_field', `${names[0] ?? ''} is ${show(value)}, not text`);
  if (!isName(value))
    throw new Refusal('invalid_name', `${names[0] ?? ''} ${show(value)} is not a name: ${NAME_RULE}`);
  return value;
}

interface Ignored {
  current: IgnoredPrices | null;
}

function readLines(fields: Fields, ignored: Ignored): OrderLine[] {
  const items = own(fields, 'items');
  if (items === undefined) {
    // A flat order; if it has no item either, the missing field is reported as `items`.
    if (!ALIASES.item.some((name) => own(fields, name) !== undefined)) {
      throw new Refusal('missing_field', 'field items is missing');
    }
    return [readLine(fields, ignored)];
  }
  if (!Array.isArray(items)) throw new Refusal('invalid_field', `items is ${show(items)}, not a list`);
  return items.map((line: unknown) => {
    if (!isFields(line))
      throw new Refusal('invalid_field', `a line of items is ${show(line)}, not an object`);
    return readLine(line, ignored);
  });
}

function readLine(fields: Fields, ignored: Ignored): OrderLine {
  const item = readName(fields, ALIASES.item);
  const quantity = firstOf(fields, ['quantity']);
  if (typeof quantity !== 'number') {
    throw new Refusal('invalid_field', `quantity of ${item} is ${show(quantity)}, not a number`);
  }
  const given = own(fields, 'unit_price');
  const unitPrice = given === undefined ? null : priceOf(given);
  if (given !== undefined && unitPrice === null) {
    const message = `unit_price of ${item} is ${show(given)}, not an amount such as 12.50 of at most ten digits`;
    ignored.current = { message, ...ignored.current, count: (ignored.current?.count ?? 0) + 1 };
  }
  return { item, quantity, unitPrice };
}
