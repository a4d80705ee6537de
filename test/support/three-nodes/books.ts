import { expect } from 'vitest';
import type { Shop } from '../cli.ts';
import { ITEMS, UNPAID_USER, userOf } from './flow.ts';

/** Never sold out: the sum shows every unit that was deducted twice or not at all. */
export const STOCK = 10_000_000;

/** Stock is what was put in less what was sold. */
export function expectStock(shop: Shop): void {
  expect(shop.stock()).toEqual(leftOf(shop, ITEMS));
}

/** What was put in, less what direct orders took. */
export function leftOf(shop: Shop, items: readonly string[]): Record<string, number> {
  const stock: Record<string, number> = Object.fromEntries(items.map((item) => [item, STOCK]));
  for (const order of shop.jsonl('orders.jsonl')) {
    for (const { item, quantity } of order.items) stock[item] = (stock[item] ?? 0) - quantity;
  }
  return stock;
}

/** By user: users who have paid got each of their orders, and users who have not paid got none. */
export function expectOutcomes(shop: Shop, ids: ReadonlySet<string>): void {
  const rejected = [...ids].filter((id) => userOf(id) === UNPAID_USER);
  const accepted = [...ids].filter((id) => userOf(id) !== UNPAID_USER);
  const rejections = shop
    .jsonl('rejections.jsonl')
    .map(({ order_id, user, reason }) => JSON.stringify([order_id, user, reason]));
  const expected = rejected.map((id) => JSON.stringify([id, UNPAID_USER, 'user_not_paid']));
  expect(rejections.sort()).toEqual(expected.sort());
  const orders = shop.jsonl('orders.jsonl').map(({ order_id, user }) => `${order_id} ${user}`);
  expect(orders.sort()).toEqual(accepted.map((id) => `${id} ${userOf(id)}`).sort());
}
