import { Type } from 'typebox';
import { documented, Name } from '../../../documents/http/request.ts';
import { nullable } from '../../../documents/shapes.ts';
import type { OrderFlow } from '../../../app/intake/intake.ts';
import { NAME_PATTERN, NAME_RULE } from '../../../domain/names.ts';
import { MAX_LINE_QUANTITY } from '../../../domain/orders/order.ts';

const QUANTITY = Type.Integer({ minimum: -MAX_LINE_QUANTITY - 1, maximum: MAX_LINE_QUANTITY });
const LINE = { item: Type.Optional(Name), quantity: Type.Optional(QUANTITY) };
const isLine = { required: ['item', 'quantity'] };
/** The empty string means the same as null. */
const NameOrNone = nullable(
  Type.String({ pattern: `^$|${NAME_PATTERN}`, description: `a name: ${NAME_RULE}` }),
  'null: an order without a user',
);

/**
 * An order as in `produce --file`. The schema checks the type of each field; which fields are required is checked by
 * the shared parser of orders, which knows alternative field names and names the missing field.
 */
export function orderBody(flow: OrderFlow, users: 'required' | 'optional') {
  const isWithoutUser = users === 'optional' && flow === 'direct';
  const line = Type.Object(LINE, { additionalProperties: true });
  const fields = {
    order_id: Type.Optional(Name),
    user: Type.Optional(users === 'optional' ? NameOrNone : Name),
    ...LINE,
    shipping_address: Type.Optional(Type.String({ minLength: 1, description: 'of the checkout' })),
  };
  const about = {
    additionalProperties: true,
    description:
      'An order: flat with one item, or with "items". Also accepted: customer_id for user, product_id for item.',
    examples: [
      {
        user: 'alice',
        items: [{ item: 'book', quantity: 2 }],
        ...(flow === 'checkout' ? { shipping_address: 'Main Street 1, 12345 Town' } : {}),
      },
    ],
  };
  const said = Type.Object(
    {
      ...fields,
      user: isWithoutUser ? NameOrNone : Name,
      items: Type.Optional(Type.Array(documented(line, { ...line, ...isLine }))),
    },
    {
      ...about,
      required: [...(isWithoutUser ? [] : ['user']), ...(flow === 'checkout' ? ['shipping_address'] : [])],
      anyOf: [{ required: ['items'] }, isLine],
    },
  );
  return documented(Type.Object({ ...fields, items: Type.Optional(Type.Array(line)) }, about), said);
}
