import { ORDER_CREATED, type OrderCreated } from '../../domain/messages/checkout/order-created.ts';
import { amountFrom, hundredths } from '../../domain/orders/money.ts';
import type { KeptView, StoreAccess } from '../../ports/access.ts';
import type { RowReader } from '../../ports/store.ts';
import type { Codec, OrderCodec } from '../../ports/codec.ts';
import type { CodecOf } from '../run/events.ts';
import type { Catalogue, CheckoutOrder } from './checkout-order.ts';

/** The address of users without one. */
const SAMPLE_ADDRESS = 'Sample Street 1, 12345 Sampleton';

/**
 * Encodes orders as orders.created. Prices and totals that an order does not have come from the catalogue; an item that
 * is not in it costs 0.00, and is rejected as unknown. The address comes from the column `address` of the user.
 */
export async function checkoutCodec(
  catalogue: Catalogue,
  codecOf: CodecOf,
): Promise<Pick<OrderCodec, 'encode'>> {
  const codec = (await codecOf(ORDER_CREATED)) as Codec<OrderCreated>;
  return { encode: (orders) => codec.encode(orders.map((order) => created(order, catalogue))) };
}

/** Reads the catalogue; an empty one if the store does not exist yet. @param view for frequent reads */
export async function readCatalogue(access: StoreAccess, view?: KeptView): Promise<Catalogue> {
  if (!(await access.isThere())) return { prices: new Map(), addresses: new Map() };
  if (view !== undefined) return await view.lookAtRows(catalogueIn);
  await using reader = await access.read();
  return await catalogueIn(reader);
}

async function catalogueIn(reader: Pick<RowReader, 'items' | 'users'>): Promise<Catalogue> {
  const prices = new Map<string, string | null>();
  const addresses = new Map<string, string>();
  for (const { item, price } of await reader.items()) prices.set(item, price);
  for (const { user, extra } of await reader.users()) {
    if (extra.address !== undefined && extra.address !== '') addresses.set(user, extra.address);
  }
  return { prices, addresses };
}

function created(order: CheckoutOrder, { prices, addresses }: Catalogue): OrderCreated {
  const items = order.items.map(({ item, quantity, unitPrice }) => {
    return { product_id: item, quantity, unit_price: unitPrice ?? prices.get(item) ?? '0.00' };
  });
  let sum = 0n;
  for (const { quantity, unit_price } of items) sum += BigInt(quantity) * hundredths(unit_price);
  return {
    order_id: order.orderId,
    customer_id: order.user,
    items,
    total_amount: order.total ?? amountFrom(sum),
    shipping_address: order.address ?? addresses.get(order.user) ?? SAMPLE_ADDRESS,
    created_at: order.createdAt,
  };
}
