import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { METRICS } from '../app/metrics/declared.ts';
import type { Meter } from '../ports/outside/meter.ts';

/** Measures the duration of every request by its route, since paths have ids in them. */
export function measureRequests(server: FastifyInstance, meter: Meter): void {
  server.addHook('onResponse', (request, reply, done) => {
    const { method, is404, routeOptions } = request;
    const labels = {
      method,
      route: is404 ? '' : (routeOptions.url ?? ''),
      status: `${Math.floor(reply.statusCode / 100)}xx`,
    };
    meter.observe(METRICS.httpSeconds, labels, reply.elapsedTime / 1000);
    done();
  });
}

export function metricsRoute(server: FastifyInstance, meter: Meter): void {
  server.get(
    '/metrics',
    {
      schema: {
        tags: ['health'],
        summary: 'Metrics of this server, for Prometheus',
        description:
          'Requests, and what the server sees of the shop. Processes that handle orders serve their own, with --metrics-port.',
        response: {
          200: {
            description: 'the text format of Prometheus',
            content: { 'text/plain': { schema: Type.String() } },
          },
        },
      },
    },
    async (_request, reply) =>
      reply
        .type(meter.contentType)
        .serializer(String)
        .send(await meter.text()),
  );
}
