import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { object } from '../../documents/shapes.ts';
import type { Shop } from '../shop.ts';

const Health = object({ status: Type.Literal('ok') });

export function healthRoutes(server: FastifyInstance, shop: Shop): void {
  server.get(
    '/healthz',
    {
      schema: {
        tags: ['health'],
        summary: 'Whether the server runs',
        response: { 200: Health },
      },
    },
    () => ({ status: 'ok' }),
  );
  server.get(
    '/readyz',
    {
      schema: {
        tags: ['health'],
        summary: 'Whether orders can be accepted: the store can be read, and the brokers answer',
        response: { 200: Health },
      },
    },
    async () => {
      const reader = await shop.access.read();
      await reader[Symbol.asyncDispose]();
      await shop.checkBroker();
      return { status: 'ok' };
    },
  );
}
