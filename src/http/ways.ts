import type { Advice } from '../domain/advice.ts';

/**
 * The way out as a call of the API, for who has nothing but that.
 *
 * @returns null where it is not in a client's hands: the operator's command says it
 */
export function callFor(advice: Advice): string | null {
  if (typeof advice === 'string') return null;
  switch (advice.kind) {
    case 'show_users':
      return 'see the users: GET /users';
    case 'show_items':
      return 'see the items: GET /inventory';
    case 'add_user':
      return `add it: POST /users ${JSON.stringify({ user: advice.user, status: advice.status })}`;
    case 'change_user':
      return `change it: PATCH /users/${name(advice.user)} ${JSON.stringify({ status: advice.status })}`;
    case 'add_item':
      return `add it: POST /inventory ${JSON.stringify({ item: advice.item, quantity: advice.quantity })}`;
    case 'add_stock':
      return `to put more on hand: PATCH /inventory/${name(advice.item)} ${JSON.stringify({ by: advice.quantity })}`;
    case 'set_price':
      return `give it one: PATCH /inventory/${name(advice.item)} {"price":"2.50"}`;
    case 'take_less':
      return `take at most ${advice.most}, or set it: PATCH /inventory/${name(advice.item)} {"quantity":0}`;
    case 'show_order':
      return `see what became of it: GET /orders/${name(advice.orderId)}`;
    case 'cancel_order':
      return `cancel it: POST /orders/${name(advice.orderId)}/cancel`;
    case 'list_dead_letters':
      return 'see them: GET /dead-letters';
    default:
      return null;
  }
}

const name = encodeURIComponent;
