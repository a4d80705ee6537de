import { Failure } from '../domain/failure.ts';
import { fitsTheEvent, type Order } from '../domain/order.ts';
import { parseOrder } from '../domain/parse-order.ts';
import type { Clock } from '../ports/clock.ts';

/**
 * Orders from NDJSON. Missing ids are generated, unknown keys and empty lines ignored.
 *
 * @param file how messages name it
 * @throws Failure invalid_input at the first bad line, with file and line, and how many orders came before it
 */
export async function* ordersFromLines(
  lines: AsyncIterable<string>,
  file: string,
  options: { clock: Clock; newOrderId: () => string },
): AsyncGenerator<Order> {
  let line = 0;
  let before = 0;
  const bad = (why: string): Failure =>
    new Failure('invalid_input', `${file}:${line}: ${why}; orders sent before it: ${before}`, {
      fix: `mend the line and produce the file from line ${line} on`,
      context: { file, line },
    });
  for await (const text of lines) {
    line += 1;
    if (text.trim() === '') continue;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw bad('the line is not JSON');
    }
    const { order, ignored, problem } = parseOrder(value, {
      createdAt: options.clock.now(),
      newOrderId: options.newOrderId,
    });
    if (problem !== undefined) throw bad(problem.message);
    // A consumer reads past a price that is none; who sends the file can mend it.
    if (ignored !== null) throw bad(ignored.message);
    const unfit = order.items.find(({ quantity }) => !fitsTheEvent(quantity));
    if (unfit !== undefined)
      throw bad(`quantity of ${unfit.item} is ${unfit.quantity}; the event holds whole numbers`);
    yield order;
    before += 1;
  }
}
