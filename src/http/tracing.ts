import type { FastifyInstance } from 'fastify';
import { isTraceparent } from '../domain/messages/trace.ts';
import type { BegunSpan, Tracer } from '../ports/outside/tracer.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The parent for what the request causes: its own span, or else the header as received; null: no valid header. */
    traceparent: string | null;
  }
}

/** Requests that change nothing; the page sends them every second. */
const READING = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Reads the header `traceparent` of requests, and makes a span for each request that may change something or has that
 * header. The page reads so often that spans of its requests would bury all others.
 *
 * @param tracer undefined: no spans are made, and the header is passed on unchanged
 */
export function traceRequests(server: FastifyInstance, tracer: Tracer | undefined): void {
  const spans = new WeakMap<object, { readonly span: BegunSpan; readonly startMs: number }>();
  server.decorateRequest('traceparent', null);
  server.addHook('onRequest', (request, _reply, done) => {
    const { traceparent: given = null } = request.headers;
    if (typeof given === 'string' && isTraceparent(given)) request.traceparent = given;
    const isSpan = !READING.has(request.method) || request.traceparent !== null;
    const span = tracer === undefined || !isSpan ? null : tracer.begin(request.traceparent);
    if (span !== null) {
      request.traceparent = span.traceparent;
      spans.set(request, { span, startMs: Date.now() });
    }
    done();
  });
  if (tracer === undefined) return;
  server.addHook('onResponse', (request, reply, done) => {
    const { method, is404, routeOptions } = request;
    const begun = spans.get(request);
    const { statusCode } = reply;
    const route = is404 ? undefined : routeOptions.url;
    if (begun !== undefined) {
      const { span, startMs } = begun;
      tracer.end(span, {
        name: route === undefined ? method : `${method} ${route}`,
        kind: 'server',
        startMs,
        endMs: startMs + reply.elapsedTime,
        attributes: {
          'http.request.method': method,
          'http.response.status_code': statusCode,
          ...(route === undefined ? {} : { 'http.route': route }),
          'url.path': request.url.split('?')[0] ?? '',
        },
        ...(statusCode >= 500 ? { error: String(statusCode) } : {}),
      });
    }
    done();
  });
}
