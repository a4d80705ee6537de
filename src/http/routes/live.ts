import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { Overview } from '../../documents/http/overview.ts';
import { Failure } from '../../domain/failure.ts';
import { lagDocument } from '../../documents/write/live.ts';
import { eventText } from '../live.ts';
import type { Live } from '../shop.ts';

const ABOUT_EVENTS =
  'Server-sent events, each with one JSON object as its data. "decisions": direct orders that were decided together ' +
  '(accepted, rejected, and the latest as GET /orders/ID has them); "statuses": orders of the checkout that moved ' +
  '(order_id, status, step, at, topic, partition, offset); "stock": items whose row changed (item, quantity, cause, ' +
  'order_id, at); "alerts": as GET /alerts; "experiment": one that began or ended; "overview", each second: as GET ' +
  '/overview; "lag", when it changes: by processor. With Last-Event-ID the stream resumes after that event, except for ' +
  'the last two, which have no id. "gap" says that events were missed: read again what they would have changed.';

export function liveRoutes(server: FastifyInstance, { feed, overview }: Live): void {
  server.get(
    '/overview',
    {
      schema: {
        tags: ['shop'],
        summary: 'The current state of the shop: its books and its processes',
        response: { 200: Overview },
      },
    },
    () => {
      const latest = overview();
      if (latest !== null) return latest;
      throw new Failure('owner_unreachable', 'the state of the shop is not known yet', { fix: 'ask again' });
    },
  );
  server.get(
    '/events',
    {
      schema: {
        tags: ['shop'],
        summary: 'Live events of the shop',
        description: ABOUT_EVENTS,
        headers: Type.Object({ 'last-event-id': Type.Optional(Type.String({ maxLength: 64 })) }),
        response: {
          200: {
            description: 'events, for as long as the client reads',
            content: { 'text/event-stream': { schema: Type.String() } },
          },
        },
      },
    },
    (request, reply) => {
      const lastId = request.headers['last-event-id'];
      reply.hijack();
      for (const [name, value] of Object.entries(reply.getHeaders())) {
        if (value !== undefined) reply.raw.setHeader(name, value);
      }
      reply.raw.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      });
      feed.add(reply.raw, typeof lastId === 'string' ? lastId : null);
      const latest = overview();
      if (latest === null) return;
      reply.raw.write(eventText('overview', latest));
      reply.raw.write(eventText('lag', lagDocument(latest)));
    },
  );
}
