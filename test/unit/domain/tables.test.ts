import { expect, it } from 'vitest';
import { isLow, isPrice, isQuantity, meantPrices, normalizePrice } from '../../../src/domain/tables.ts';

it('an item is low at its reorder level and under it; without one that of the shop counts', () => {
  const item = { item: 'pen', quantity: 3, name: null, price: null, extra: {} };
  const low = [null, 0, 2, 3, 4].filter((reorderLevel) => isLow({ ...item, reorderLevel }, 1));
  expect(low).toEqual([3, 4]);
  const bare = { ...item, reorderLevel: null };
  expect([2, 3, 4].filter((lowStock) => isLow(bare, lowStock))).toEqual([3, 4]);
  expect(isLow({ ...item, quantity: 0, reorderLevel: 0 }, 5)).toBe(true);
});

it('a price has up to eight digits and two places, a quantity is a whole number that is exact', () => {
  expect(['0', '12.5', '99999999.99', '007'].map(isPrice)).toEqual([true, true, true, true]);
  expect(['', '-1', '.5', '1.', '1.234', '123456789', '1e3', '1,5'].some(isPrice)).toBe(false);
  expect(['0', '12.5', '007.10', '000'].map(normalizePrice)).toEqual(['0.00', '12.50', '7.10', '0.00']);
  expect([0, 5, 2 ** 53 - 1].every(isQuantity)).toBe(true);
  expect([-1, 0.5, 2 ** 53, NaN, Infinity].some(isQuantity)).toBe(false);
});

it.each([
  ['12,50', ['12.50']],
  ['12,5 €', ['12.5']],
  ['1.234,50', ['1234.50']],
  ['1,234.50', ['1234.50']],
  ["1'234", ['1234']],
  ['$1 234', ['1234']],
  ['1.234', ['1234', '1.23']],
  ['12.345.678', ['12345678']],
  ['123,456,789', []],
  ['twelve', []],
  ['-12,50', []],
  ['1.2.3', []],
])('%s is no price, and was probably meant to be %j', (text, meant) => {
  expect(isPrice(text)).toBe(false);
  expect(meantPrices(text)).toEqual(meant);
});
