import { Failure } from '../../domain/failure.ts';
import { fitsTheEvent, type Order } from '../../domain/orders/order.ts';
import { parseOrder } from '../../domain/orders/parse-order.ts';
import type { Clock } from '../../ports/clock.ts';
import { checkoutFields, totalProblem, withoutPrice, type Catalogue } from './checkout-order.ts';
import type { Numbered } from './produce.ts';

export interface LineOptions {
  readonly clock: Clock;
  /** The id of the order of a line that has none: the same each time. */
  readonly idOf: (line: number) => string;
  /** Reads what the checkout asks for beside the order. */
  readonly hasMore?: boolean;
  /** Of the checkout: an order without prices that the catalogue does not have either is a bad line. */
  readonly catalogue?: Catalogue | null;
}

/**
 * Orders from NDJSON, by the numbers of their lines. Missing ids are generated; unknown keys and empty lines are
 * ignored.
 *
 * @param file how messages name it
 * @throws Failure invalid_input at the first bad line, with file and line
 */
export async function* ordersFromLines(
  lines: AsyncIterable<string>,
  file: string,
  options: LineOptions,
): AsyncGenerator<Numbered> {
  let number = 0;
  for await (const text of lines) {
    number += 1;
    if (text.trim() !== '') yield { order: readLine(text, { file, line: number }, options), number };
  }
}

function readLine(text: string, place: { file: string; line: number }, options: LineOptions): Order {
  const bad = (why: string): Failure =>
    new Failure('invalid_input', `${place.file}:${place.line}: ${why}`, {
      fix: 'mend the line and run the same command again',
      context: place,
    });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw bad('the line is not JSON');
  }
  const { order, ignored, problem } = parseOrder(value, {
    createdAt: options.clock.now(),
    newOrderId: () => options.idOf(place.line),
  });
  if (problem !== undefined) throw bad(problem.message);
  // A consumer ignores a price that is no amount; the sender of the file can correct it.
  if (ignored !== null) throw bad(ignored.message);
  const unfit = order.items.find(({ quantity }) => !fitsTheEvent(quantity));
  if (unfit !== undefined)
    throw bad(`quantity of ${unfit.item} is ${unfit.quantity}; the event holds whole numbers`);
  const item = options.catalogue == null ? null : withoutPrice(order, options.catalogue);
  if (item !== null) throw bad(`item ${item} has no price, neither unit_price here nor one in the shop`);
  if (options.hasMore !== true) return order;
  const wrong = totalProblem(value);
  if (wrong !== null) throw bad(wrong);
  return { ...order, ...checkoutFields(value) };
}

export interface CheckedLines {
  /** Orders of the lines from `from` on. */
  readonly orders: number;
  /** How many of all lines have no id. */
  readonly withoutId: number;
}

/**
 * Reads a whole file before the first of its orders is sent.
 *
 * @param from the first line that is to be sent
 * @throws Failure invalid_input at the first bad line: nothing was sent; invalid_value when there is no line `from`
 */
export async function checkLines(
  lines: AsyncIterable<string>,
  file: string,
  { from, signal, ...options }: Omit<LineOptions, 'idOf'> & { from: number; signal: AbortSignal },
): Promise<CheckedLines> {
  let orders = 0;
  let withoutId = 0;
  let last = 0;
  const idOf = (): string => {
    withoutId += 1;
    return 'ORD-0';
  };
  try {
    for await (const { number } of ordersFromLines(lines, file, { ...options, idOf })) {
      last = number;
      if (number >= from) orders += 1;
    }
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'invalid_input') throw error;
    throw new Failure(error.code, `${error.message}; nothing was sent`, {
      ...(error.fix === null ? {} : { fix: error.fix }),
      context: error.context,
    });
  }
  // When stopped it has not seen the last one.
  if (from > 1 && from > last && !signal.aborted) {
    throw new Failure('invalid_value', `${file} has no order from line ${from} on`, {
      fix: `its last order is in line ${last}`,
      context: { file },
    });
  }
  return { orders, withoutId };
}
