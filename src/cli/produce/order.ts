import type { CheckoutOrder } from '../../app/send/checkout-order.ts';
import { systemClock } from '../../compose.ts';
import { Failure } from '../../domain/failure.ts';
import { MAX_LINE_QUANTITY } from '../../domain/orders/order.ts';
import { quoted } from '../hints.ts';
import { nameOf, signedNumber } from '../parse.ts';

interface Flags {
  readonly user?: string;
  readonly item?: readonly string[];
  readonly quantity?: readonly string[];
  readonly orderId?: string;
  readonly address?: string;
}

const EXAMPLE = 'for example: orderctl produce --user bob --item pen=2';

/** The order that is given by flags. @throws Failure usage, invalid_value */
export function readOrder(flags: Flags, newOrderId: () => string): CheckoutOrder {
  const { user } = flags;
  if (user === undefined) {
    throw new Failure(
      'usage',
      'one order takes --user, and as many --quantity as --item: --user is missing',
      {
        fix: EXAMPLE,
      },
    );
  }
  return {
    orderId: flags.orderId === undefined ? newOrderId() : nameOf('--order-id', flags.orderId),
    user: nameOf('--user', user),
    items: readLines(flags, `one order takes --user, and`, EXAMPLE).map((line) => ({
      ...line,
      unitPrice: null,
    })),
    createdAt: systemClock.now(),
    ...(flags.address === undefined ? {} : { address: flags.address }),
  };
}

/**
 * What --item and --quantity say, in their order.
 *
 * @param taker the beginning of the message when they do not fit
 * @throws Failure usage, invalid_value
 */
export function readLines(
  { item: items = [], quantity: quantities = [] }: Pick<Flags, 'item' | 'quantity'>,
  taker: string,
  fix: string,
): readonly { readonly item: string; readonly quantity: number }[] {
  const alone = items.filter((item) => !item.includes('='));
  if (items.length === 0 || alone.length !== quantities.length) {
    const whole = items.length - alone.length;
    const beside = whole === 0 ? '' : `, and ${whole} --item with a quantity of its own`;
    const counted = `${alone.length} --item and ${quantities.length} --quantity are given${beside}`;
    const without = alone.slice(quantities.length).map((item) => `--item ${quoted(item)}=1`);
    throw new Failure('usage', `${taker} as many --quantity as --item: ${counted}`, {
      fix: without.length === 0 ? fix : `say how many, for example: ${without.join(' ')}`,
    });
  }
  const rest = quantities.values();
  return items.map((text) => {
    const [item = '', quantity = rest.next().value ?? ''] = text.split(/=(.*)/s);
    return { item: nameOf('--item', item), quantity: quantityOf(quantity) };
  });
}

/** Zero and below may be sent: they are one of the reasons for a rejection. */
function quantityOf(text: string): number {
  const quantity = signedNumber('--quantity', text, 'for example --quantity 2');
  if (Math.abs(quantity) > MAX_LINE_QUANTITY) {
    throw new Failure('invalid_value', `--quantity: ${text} does not fit into the event`, {
      fix: `use a whole number up to ${MAX_LINE_QUANTITY}`,
    });
  }
  return quantity;
}
