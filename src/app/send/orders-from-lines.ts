import { Failure } from '../../domain/failure.ts';
import { fitsTheEvent, type Order } from '../../domain/orders/order.ts';
import { parseOrder } from '../../domain/orders/parse-order.ts';
import type { Clock } from '../../ports/clock.ts';
import { checkoutFields, totalProblem, withoutPrice, type Catalogue } from './checkout-order.ts';
import type { Numbered } from './produce.ts';

export interface LineOptions {
  readonly clock: Clock;
  /** Returns the id for a line without one: the same id each time. */
  readonly idOf: (line: number) => string;
  /** Also reads the extra fields of the checkout. */
  readonly hasMore?: boolean;
  /** For the checkout: an item without a price in the line or in this catalogue makes the line invalid. */
  readonly catalogue?: Catalogue | null;
}

/**
 * Reads orders from NDJSON, with their line numbers. Missing ids are generated; unknown keys and empty lines are
 * ignored.
 *
 * @param file the name of the file in messages
 * @throws Failure invalid_input at the first invalid line, with file and line
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
      fix: 'correct the line and run the same command again',
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
  // A consumer ignores a price that is not an amount; here, the user can still correct the file.
  if (ignored !== null) throw bad(ignored.message);
  const unfit = order.items.find(({ quantity }) => !fitsTheEvent(quantity));
  if (unfit !== undefined) throw bad(`quantity of ${unfit.item} is ${unfit.quantity}, not a whole number`);
  const item = options.catalogue == null ? null : withoutPrice(order, options.catalogue);
  if (item !== null) throw bad(`item ${item} has no price, neither as unit_price here nor in the shop`);
  if (options.hasMore !== true) return order;
  const wrong = totalProblem(value);
  if (wrong !== null) throw bad(wrong);
  return { ...order, ...checkoutFields(value) };
}

export interface CheckedLines {
  /** The number of orders from line `from` on. */
  readonly orders: number;
  /** The number of lines without an id, in the whole file. */
  readonly withoutId: number;
}

/**
 * Checks a whole file before the first of its orders is sent.
 *
 * @param from the first line to send
 * @throws Failure invalid_input at the first invalid line, nothing was sent; invalid_value when no line from `from` on
 *   has an order
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
  // When stopped, the last line may not have been read.
  if (from > 1 && from > last && !signal.aborted) {
    throw new Failure('invalid_value', `${file} has no order at line ${from} or later`, {
      fix: `its last order is at line ${last}`,
      context: { file },
    });
  }
  return { orders, withoutId };
}
