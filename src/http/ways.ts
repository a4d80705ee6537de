import type { Advice, TypedAdvice } from '../domain/advice.ts';

type Calls = {
  readonly [K in TypedAdvice['kind']]?: (advice: TypedAdvice & { readonly kind: K }) => string;
};

const name = encodeURIComponent;

/** The fixes that a client can make itself. */
const CALLS: Calls = {
  show_users: () => 'see the users: GET /users',
  show_items: () => 'see the items: GET /inventory',
  add_user: ({ user, status }) => `add it: POST /users ${JSON.stringify({ user, status })}`,
  change_user: ({ user, status }) => `change it: PATCH /users/${name(user)} ${JSON.stringify({ status })}`,
  add_item: ({ item, quantity }) => `add it: POST /inventory ${JSON.stringify({ item, quantity })}`,
  add_stock: ({ item, quantity }) => `to put more on hand: PATCH /inventory/${name(item)} {"by":${quantity}}`,
  set_price: ({ item }) => `give it one: PATCH /inventory/${name(item)} {"price":"2.50"}`,
  take_less: ({ item, most }) =>
    `take at most ${most}, or set it: PATCH /inventory/${name(item)} {"quantity":0}`,
  show_order: ({ orderId }) => `see its outcome: GET /orders/${name(orderId)}`,
  cancel_order: ({ orderId }) => `cancel it: POST /orders/${name(orderId)}/cancel`,
  list_dead_letters: () => 'see them: GET /dead-letters',
};

/**
 * The fix as a call of the API, for clients that have nothing else.
 *
 * @returns null if a client cannot make it; then the fix names the operator's command
 */
export function callFor(advice: Advice): string | null {
  if (typeof advice === 'string') return null;
  const call = CALLS[advice.kind] as ((advice: TypedAdvice) => string) | undefined;
  return call?.(advice) ?? null;
}
