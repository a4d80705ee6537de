import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { OrderStatus, Wish } from '../../../documents/checkout/order.ts';
import { OrderList, TakenOrder } from '../../../documents/http/order-state.ts';
import { orderBody } from './body.ts';
import { nullable } from '../../../documents/shapes.ts';
import { Problem } from '../../../documents/http/problem.ts';
import type { OrderFlow } from '../../../app/intake/intake.ts';
import {
  checkoutFields,
  totalProblem,
  type CheckoutOrder as PlacedOrder,
} from '../../../app/send/checkout-order.ts';
import { Failure } from '../../../domain/failure.ts';
import { fitsTheEvent, MAX_LINE_QUANTITY } from '../../../domain/orders/order.ts';
import { parseOrder } from '../../../domain/orders/parse-order.ts';
import type { Shop } from '../../shop.ts';
import { listPage, type ListQuery } from './list.ts';
import { OrderAnswer, showRoute } from './show.ts';
import { hasEnded, stateWithin } from './state.ts';
import { goneSignal } from '../gone.ts';
import { PAGE, timeRange } from '../pages.ts';
import { Wait, waitMs } from './wait.ts';

const Flow = Type.Enum(['direct', 'checkout']);

function post(flow: OrderFlow, users: Shop['users'], summary: string) {
  return {
    tags: ['orders'],
    summary,
    description:
      'Answered once Kafka has stored the order. Sent again with the same id, or without one under the same ' +
      'Idempotency-Key, it counts once.',
    body: orderBody(flow, users),
    headers: Type.Object({
      'idempotency-key': Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
    }),
    querystring: Type.Object(
      { wait: Type.Optional(Wait), flow: Type.Optional(Flow) },
      { additionalProperties: false },
    ),
    response: { 200: OrderAnswer, 202: TakenOrder, 409: Problem, 422: Problem },
  };
}

interface PostQuery {
  readonly wait?: string;
  readonly flow?: OrderFlow;
}

const LIST = {
  tags: ['orders'],
  summary: 'Orders of both flows, the latest first',
  description:
    'Sorted by the time when each was decided or validated. Orders that no processor has read yet are not included. A ' +
    'page reads a bounded part of them: with filters it may be short, or empty, and still have a "next".',
  querystring: Type.Object(
    {
      status: Type.Optional(OrderStatus),
      user: Type.Optional(Type.String({ maxLength: 128 })),
      item: Type.Optional(Type.String({ maxLength: 128 })),
      ...timeRange('decided'),
      ...PAGE,
    },
    { additionalProperties: false },
  ),
  response: { 200: OrderList, 422: Problem },
};

/** Later messages of the checkout have the order and more: Kafka must not accept the first and refuse a later one. */
const MAX_CHECKOUT_BYTES = 512 * 1024;

export function orderRoutes(server: FastifyInstance, shop: Shop): void {
  server.get('/orders', { schema: LIST }, (request, reply) =>
    listPage(shop, request.query as ListQuery, goneSignal(reply)),
  );
  server.post(
    '/order',
    { schema: post('direct', shop.users, 'Place an order of the direct flow, accepted or rejected at once') },
    (request, reply) => placeOrder(shop, 'direct', request, reply),
  );
  server.post(
    '/orders',
    {
      bodyLimit: MAX_CHECKOUT_BYTES,
      schema: post('checkout', shop.users, 'Place an order of the checkout: validated, paid for and shipped'),
    },
    (request, reply) => placeOrder(shop, (request.query as PostQuery).flow ?? 'checkout', request, reply),
  );
  showRoute(server, shop);
  server.post(
    '/orders/:id/cancel',
    {
      schema: {
        tags: ['orders'],
        summary: 'Cancel an order of the checkout that is not dispatched yet',
        params: Type.Object({ id: Type.String() }),
        body: nullable(
          Type.Object(
            { reason: Type.Optional(Type.String({ maxLength: 1_000 })) },
            { additionalProperties: false },
          ),
        ),
        querystring: Type.Object({ wait: Type.Optional(Wait) }, { additionalProperties: false }),
        response: { 200: Wish, 202: Wish, 404: Problem, 409: Problem },
      },
    },
    async (request, reply) => {
      const { id } = request.params as { id: string };
      const { reason = null } = (request.body ?? {}) as { reason?: string };
      const { wait } = request.query as PostQuery;
      const requested = await shop.cancel(id, reason, waitMs(wait), request.traceparent);
      const place = requested.record ?? { topic: null, partition: null, offset: null };
      const { outcome, status } = requested;
      return reply
        .code(outcome === 'done' ? 200 : 202)
        .send({ order_id: id, wish: 'cancel', outcome, status, ...place });
    },
  );
}

async function placeOrder(
  shop: Shop,
  flow: OrderFlow,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const { wait } = request.query as PostQuery;
  const { order, isNew } = orderOf(shop, flow, request.body, request.headers['idempotency-key']);
  const { orderId, isRepeat } = await shop.intake.take(order, {
    flow,
    isNew,
    traceparent: request.traceparent,
  });
  void reply.header('location', `/orders/${encodeURIComponent(orderId)}`);
  if (isRepeat) void reply.header('idempotent-replayed', 'true');
  const ms = waitMs(wait);
  const state = ms === 0 ? undefined : await stateWithin(shop, orderId, ms);
  if (state !== undefined && hasEnded(state)) return state;
  const taken: TakenOrder = { order_id: orderId, status: state?.status ?? 'PENDING' };
  return reply.code(202).send(taken);
}

/** @throws Failure invalid_value naming the field */
function orderOf(
  shop: Shop,
  flow: OrderFlow,
  body: unknown,
  key: string | string[] | undefined,
): { readonly order: PlacedOrder; readonly isNew: boolean } {
  let isNew = false;
  const parsed = parseOrder(body, {
    createdAt: shop.now(),
    newOrderId: () => {
      isNew = typeof key !== 'string';
      return typeof key === 'string' ? shop.orderIdOf(key) : shop.newOrderId();
    },
    users: flow === 'direct' ? shop.users : 'required',
  });
  const fix = 'see /docs for the fields of an order';
  if (parsed.order === undefined) throw new Failure('invalid_value', parsed.problem.message, { fix });
  const odd = parsed.order.items.find(({ quantity }) => !fitsTheEvent(quantity));
  if (odd !== undefined) {
    const message = `quantity of ${odd.item} is ${odd.quantity}, not a whole number up to ${MAX_LINE_QUANTITY}`;
    throw new Failure('invalid_value', message, { fix });
  }
  // A consumer ignores a price that is not an amount; a client can correct it.
  if (parsed.ignored !== null) throw new Failure('invalid_value', parsed.ignored.message, { fix });
  if (flow === 'direct') return { order: parsed.order, isNew };
  const problem = totalProblem(body);
  if (problem !== null) throw new Failure('invalid_value', problem, { fix });
  const fields = checkoutFields(body);
  if (fields.address !== undefined) return { order: { ...parsed.order, ...fields }, isNew };
  throw new Failure('invalid_value', 'field shipping_address is missing', { fix });
}
