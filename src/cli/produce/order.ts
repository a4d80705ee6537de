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

/** Reads one order from flags. @throws Failure usage, invalid_value */
export function readOrder(flags: Flags, newOrderId: () => string): CheckoutOrder {
  const { user } = flags;
  if (user === undefined) {
    throw new Failure(
      'usage',
      'one order needs --user, and as many --quantity as --item: --user is missing',
      {
        fix: EXAMPLE,
      },
    );
  }
  return {
    orderId: flags.orderId === undefined ? newOrderId() : nameOf('--order-id', flags.orderId),
    user: nameOf('--user', user),
    items: readLines(flags, `one order needs --user, and`, EXAMPLE).map((line) => ({
      ...line,
      unitPrice: null,
    })),
    createdAt: systemClock.now(),
    ...(flags.address === undefined ? {} : { address: flags.address }),
  };
}

/**
 * Pairs --item and --quantity, in their order.
 *
 * @param subject the start of the message if their counts differ: `one order needs`
 * @throws Failure usage, invalid_value
 */
export function readLines(
  { item: items = [], quantity: quantities = [] }: Pick<Flags, 'item' | 'quantity'>,
  subject: string,
  fix: string,
): readonly { readonly item: string; readonly quantity: number }[] {
  const alone = items.filter((item) => !item.includes('='));
  if (items.length === 0) throw new Failure('usage', `${subject} at least one --item`, { fix });
  if (alone.length !== quantities.length) {
    const whole = items.length - alone.length;
    const others = whole === 0 ? '' : `, and ${whole} --item with a quantity of its own`;
    const counted = `${alone.length} --item and ${quantities.length} --quantity are given${others}`;
    const without = alone.slice(quantities.length).map((item) => `--item ${quoted(item)}=1`);
    throw new Failure('usage', `${subject} as many --quantity as --item: ${counted}`, {
      fix: without.length === 0 ? fix : `add a quantity, for example: ${without.join(' ')}`,
    });
  }
  const rest = quantities.values();
  return items.map((text) => {
    const [item = '', quantity = rest.next().value ?? ''] = text.split(/=(.*)/s);
    return { item: nameOf('--item', item), quantity: quantityOf(quantity) };
  });
}

/** Zero and negative quantities may be sent, to be rejected by the consumer. */
function quantityOf(text: string): number {
  const quantity = signedNumber('--quantity', text, 'for example --quantity 2');
  if (Math.abs(quantity) > MAX_LINE_QUANTITY) {
    throw new Failure('invalid_value', `--quantity: ${text} is too large for the event`, {
      fix: `use a whole number up to ${MAX_LINE_QUANTITY}`,
    });
  }
  return quantity;
}
