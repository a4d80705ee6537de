import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { CheckoutExplanation, CheckoutOrder } from '../../../documents/checkout/order.ts';
import { OrderState } from '../../../documents/http/order-state.ts';
import { Problem } from '../../../documents/http/problem.ts';
import { Explanation } from '../../../documents/order.ts';
import { Failure } from '../../../domain/failure.ts';
import { isName } from '../../../domain/names.ts';
import type { Shop } from '../../shop.ts';
import { stateWithin } from './state.ts';
import { Wait, waitMs } from './wait.ts';

export const OrderAnswer = Type.Union([OrderState, CheckoutOrder]);

const SHOW = {
  tags: ['orders'],
  summary: 'The outcome of an order',
  description: 'With "explain", the output of "orderctl order explain": why, and what can be done now.',
  params: Type.Object({ id: Type.String() }),
  querystring: Type.Object(
    {
      wait: Type.Optional(Wait),
      explain: Type.Optional(Type.Enum(['', 'true', 'false'], { description: 'without a value: true' })),
    },
    { additionalProperties: false },
  ),
  response: {
    200: Type.Union([OrderState, CheckoutOrder, Explanation, CheckoutExplanation]),
    404: Problem,
  },
};

interface ShowQuery {
  readonly wait?: string;
  readonly explain?: '' | 'true' | 'false';
}

export function showRoute(server: FastifyInstance, shop: Shop): void {
  server.get('/orders/:id', { schema: SHOW }, async (request) => {
    const { id } = request.params as { id: string };
    const { wait, explain = 'false' } = request.query as ShowQuery;
    const state = isName(id) ? await stateWithin(shop, id, waitMs(wait)) : undefined;
    if (state === undefined) throw unknown(id);
    if (explain === 'false') return state;
    const known =
      state.decided_at === null ? (shop.intake.taken(id) ?? (await shop.findUnread(id))) : undefined;
    return (await shop.views.explain(id, known)) ?? state;
  });
}

function unknown(id: string): Failure {
  return new Failure('not_found', `order ${id} is not known`, {
    fix: 'use the id from the answer to the POST',
    context: { orderId: id },
  });
}
