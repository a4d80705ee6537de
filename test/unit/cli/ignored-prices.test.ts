import { expect, it } from 'vitest';
import { IgnoredPrices } from '../../../src/cli/output/consume/ignored-prices.ts';
import type { Printer } from '../../../src/cli/output/printer.ts';

it('prices that are no amounts are warned of one by one up to twenty a second, then by their number', () => {
  const said: string[] = [];
  const prices = new IgnoredPrices({
    messages: ([line]: [{ text: string }]) => said.push(line.text),
  } as unknown as Printer);
  const add = (offset: number): void => {
    const record = { topic: 'orders', partition: 0, offset };
    const ignored = { count: 2, message: 'unit_price "free"' };
    prices.add({ kind: 'prices_ignored', record, orderId: `o${offset}`, ignored });
  };
  for (let offset = 0; offset < 23; offset++) add(offset);
  expect(said).toHaveLength(20);
  expect(said[0]).toBe('order o0: unit_price "free", and 1 more line: kept without a price (orders/0@0)');
  prices.flush();
  prices.flush();
  expect(said.slice(20)).toEqual(['and more: 6 lines kept without a price']);
  add(23);
  expect(said[21]).toMatch(/^order o23: /);
});
