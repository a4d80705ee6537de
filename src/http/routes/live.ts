import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { Overview } from '../../documents/http/overview.ts';
import { Problem } from '../../documents/http/problem.ts';
import { Failure } from '../../domain/failure.ts';
import type { Live } from '../shop.ts';

export function liveRoutes(server: FastifyInstance, { feed, overview }: Live): void {
  server.get(
    '/overview',
    {
      schema: {
        tags: ['shop'],
        summary: 'The shop at this moment: its books, and what works on it',
        response: { 200: Overview, 503: Problem },
      },
    },
    () => {
      const latest = overview();
      if (latest !== null) return latest;
      throw new Failure('owner_unreachable', 'the shop was not looked at yet', { fix: 'ask again' });
    },
  );
  server.get(
    '/events',
    {
      schema: {
        tags: ['shop'],
        summary: 'Decisions as they are made, and the overview each second',
        description:
          'Server-sent events: "decisions" has the latest of what was decided together, "overview" what GET /overview ' +
          'answers. With Last-Event-ID it goes on after that one; "gap" says that it cannot.',
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
      if (latest !== null) reply.raw.write(`event: overview\ndata: ${JSON.stringify(latest)}\n\n`);
    },
  );
}
