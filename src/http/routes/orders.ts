import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { OrderList, OrderState, TakenOrder } from '../../documents/http/order-state.ts';
import { Problem } from '../../documents/http/problem.ts';
import { decidedState, pendingState } from '../../documents/write/http.ts';
import { Failure } from '../../domain/failure.ts';
import { isName } from '../../domain/names.ts';
import type { Order } from '../../domain/orders/order.ts';
import { parseOrder } from '../../domain/orders/parse-order.ts';
import type { Shop } from '../shop.ts';
import { listPage, type ListQuery } from './order-list.ts';
import { MAX_WAIT_SECONDS, waitMs } from './wait.ts';

const Wait = Type.String({
  pattern: String.raw`^\d{1,2}s$`,
  description: `answers once the order is decided, or after so long, such as 5s; at most ${MAX_WAIT_SECONDS}s`,
});

/** As in `produce --file`. What is in it is checked by the one rule for orders, which names the field. */
const OrderBody = Type.Object(
  {
    order_id: Type.Optional(Type.String({ maxLength: 128 })),
    user: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    item: Type.Optional(Type.String()),
    quantity: Type.Optional(Type.Number()),
    items: Type.Optional(
      Type.Array(
        Type.Object({ item: Type.String(), quantity: Type.Number() }, { additionalProperties: true }),
      ),
    ),
  },
  {
    additionalProperties: true,
    description: 'An order: of one item, flat, or with "items".',
    examples: [{ user: 'alice', items: [{ item: 'book', quantity: 2 }] }],
  },
);

const POST = {
  tags: ['orders'],
  summary: 'Place an order',
  description:
    'Answered once Kafka has stored the order. Sent again with the same id, or without one under the same ' +
    'Idempotency-Key, it counts once.',
  body: OrderBody,
  headers: Type.Object({
    'idempotency-key': Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
  }),
  querystring: Type.Object({ wait: Type.Optional(Wait) }, { additionalProperties: false }),
  response: { 200: OrderState, 202: TakenOrder, 409: Problem, 422: Problem, 503: Problem },
};

interface PostQuery {
  readonly wait?: string;
}

const LIST = {
  tags: ['orders'],
  summary: 'Decided orders, the latest first',
  querystring: Type.Object(
    {
      status: Type.Optional(Type.Enum(['COMPLETED', 'REJECTED'])),
      user: Type.Optional(Type.String({ maxLength: 128 })),
      item: Type.Optional(Type.String({ maxLength: 128 })),
      since: Type.Optional(Type.String({ description: 'decided at or after this time, by ISO 8601' })),
      until: Type.Optional(Type.String({ description: 'decided before this time' })),
      limit: Type.Optional(
        Type.String({ pattern: String.raw`^\d{1,3}$`, description: 'at most 500; default 50' }),
      ),
      cursor: Type.Optional(Type.String({ maxLength: 256, description: '"next" of the page before' })),
    },
    { additionalProperties: false },
  ),
  response: { 200: OrderList, 422: Problem },
};

export function orderRoutes(server: FastifyInstance, shop: Shop): void {
  server.get('/orders', { schema: LIST }, (request) => listPage(shop, request.query as ListQuery));
  server.post('/order', { schema: POST }, (request, reply) => placeOrder(shop, request, reply));
  server.get(
    '/orders/:id',
    {
      schema: {
        tags: ['orders'],
        summary: 'What became of an order',
        params: Type.Object({ id: Type.String() }),
        querystring: Type.Object({ wait: Type.Optional(Wait) }, { additionalProperties: false }),
        response: { 200: OrderState, 404: Problem, 503: Problem },
      },
    },
    async (request) => {
      const { id } = request.params as { id: string };
      const { wait } = request.query as PostQuery;
      const state = isName(id) ? await stateOf(shop, id, waitMs(wait)) : undefined;
      if (state !== undefined) return state;
      throw new Failure('not_found', `order ${id} is not known`, {
        fix: 'see its id in the answer to POST /order',
        context: { orderId: id },
      });
    },
  );
}

async function placeOrder(shop: Shop, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const { wait } = request.query as PostQuery;
  const key = request.headers['idempotency-key'];
  const { orderId, isRepeat } = await shop.intake.take(orderOf(shop, request.body, key));
  void reply.header('location', `/orders/${encodeURIComponent(orderId)}`);
  if (isRepeat) void reply.header('idempotent-replayed', 'true');
  const decided = await decisionWithin(shop, orderId, waitMs(wait));
  if (decided !== undefined) return decidedState(decided);
  const taken: TakenOrder = { order_id: orderId, status: 'PENDING' };
  return reply.code(202).send(taken);
}

/** @throws Failure invalid_value naming the field */
function orderOf(shop: Shop, body: unknown, key: string | string[] | undefined): Order {
  const parsed = parseOrder(body, {
    createdAt: shop.now(),
    newOrderId: () => (typeof key === 'string' ? shop.orderIdOf(key) : shop.newOrderId()),
    users: shop.users,
  });
  if (parsed.order !== undefined) return parsed.order;
  throw new Failure('invalid_value', parsed.problem.message, { fix: 'see /docs for what an order holds' });
}

async function decisionWithin(shop: Shop, orderId: string, ms: number) {
  if (ms === 0) return undefined;
  const limit = AbortSignal.timeout(ms);
  // Before the store is asked, so that nothing falls between the two.
  const decision = shop.watch.decisionOf(orderId, limit);
  await using reader = await shop.access.read();
  return (await reader.decided(orderId)) ?? (await decision);
}

/** @returns undefined when nobody knows it */
async function stateOf(shop: Shop, orderId: string, ms: number): Promise<OrderState | undefined> {
  await using reader = await shop.access.read();
  const decided = await reader.decided(orderId);
  if (decided !== undefined) return decidedState(decided);
  const order = shop.intake.taken(orderId) ?? (await shop.findUnread(reader, orderId));
  const later =
    ms === 0 && order !== undefined ? undefined : await decisionWithin(shop, orderId, Math.max(ms, 1));
  if (later !== undefined) return decidedState(later);
  return order === undefined ? undefined : pendingState(order);
}
