import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { requireToken } from './access.ts';
import { answerOtherMethods } from './methods.ts';
import { measureRequests, metricsRoute } from './metrics.ts';
import { describeAnswers, openApi } from './openapi.ts';
import { problemHandler, refuseBroken, schemaProblem, type ProblemOptions } from './problems.ts';
import { analyticsRoutes, reportRoutes } from './routes/analytics.ts';
import { deadLetterRoutes } from './routes/dead-letters.ts';
import { experimentRoutes } from './routes/experiments.ts';
import { healthRoutes } from './routes/health.ts';
import { inventoryRoutes } from './routes/inventory.ts';
import { liveRoutes } from './routes/live.ts';
import { orderRoutes } from './routes/orders/routes.ts';
import { pageRoutes } from './routes/page.ts';
import { messageRoutes, shopRoutes } from './routes/shop.ts';
import { userRoutes } from './routes/users.ts';
import { Failure } from '../domain/failure.ts';
import type { Meter } from '../ports/outside/meter.ts';
import type { Tracer } from '../ports/outside/tracer.ts';
import type { Shop } from './shop.ts';
import { traceRequests } from './tracing.ts';

const MAX_BODY_BYTES = 1024 * 1024;
/** How long a request may take to arrive, so that a client that sends a byte now and then cannot keep a connection. */
const REQUEST_TIMEOUT_MS = 10_000;
/** How often connections are checked for slow requests. */
const CHECK_EVERY_MS = 1_000;
const IDLE_TIMEOUT_MS = 30_000;
/** Longest parameter of a path; the longest valid one is the id of a dead letter, which has a topic in it. */
const MAX_PARAM_LENGTH = 512;

/** Headers of all answers: nothing is loaded from elsewhere, and no other site may frame or read this one. */
const SECURITY = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join(';'),
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** For the page at /docs: hides the vendor's top bar, and lets wide elements scroll instead of the page. */
const DOCS_CSS = `
.swagger-ui .topbar, .swagger-ui .response-col_links { display: none }
.swagger-ui .opblock-body { overflow-x: auto }
@media (max-width: 640px) {
  .swagger-ui .wrapper { padding: 0 10px }
  .swagger-ui .opblock .opblock-summary-description { flex-basis: 100% }
  .swagger-ui .opblock .opblock-section-header, .swagger-ui .responses-inner,
  .swagger-ui .table-container { padding: 10px }
}
`;
const DOCS_THEME = { title: 'orderctl API', css: [{ filename: 'orderctl.css', content: DOCS_CSS }] };

export interface ServerOptions extends ProblemOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly version: string;
  /** Requests a minute from one address; null: no limit. */
  readonly rateLimit: number | null;
  /** The bearer token that clients must send; null: none. */
  readonly token: string | null;
  readonly meter: Meter;
  /** Absent: no spans are made. */
  readonly tracer?: Tracer | undefined;
}

export interface ApiServer extends AsyncDisposable {
  /** `http://127.0.0.1:8080` */
  readonly url: string;
}

/**
 * Serves the API of a shop until disposal, which first completes the requests in progress.
 *
 * @throws the system error if the address cannot be listened on
 */
export async function startApi(shop: Shop, options: ServerOptions): Promise<ApiServer> {
  const server = await createApi(shop, options);
  const url = await server.listen({ host: options.host, port: options.port });
  return { url, [Symbol.asyncDispose]: () => server.close() };
}

async function createApi(shop: Shop, options: ServerOptions): Promise<FastifyInstance> {
  const server = fastify({
    bodyLimit: MAX_BODY_BYTES,
    // Unknown fields are ignored, so __proto__ is too; once removed, it cannot reach a prototype.
    onProtoPoisoning: 'remove',
    onConstructorPoisoning: 'remove',
    requestTimeout: REQUEST_TIMEOUT_MS,
    http: { headersTimeout: REQUEST_TIMEOUT_MS, connectionsCheckingInterval: CHECK_EVERY_MS },
    clientErrorHandler: refuseBroken,
    keepAliveTimeout: IDLE_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    ajv: {
      customOptions: {
        removeAdditional: false,
        coerceTypes: false,
        allErrors: false,
        keywords: ['documented'],
        verbose: true,
      },
    },
  });
  // Only JSON: a page of another site may send plain text without a preflight request.
  server.removeContentTypeParser('text/plain');
  // The same JSON as on the command line; tests check its shape.
  server.setSerializerCompiler(() => (value) => JSON.stringify(value));
  server.setSchemaErrorFormatter(schemaProblem);
  server.setErrorHandler(problemHandler(options));
  const answerUnread = answerOtherMethods(server);
  server.addHook('onRequest', (_request, reply, done) => {
    void reply.headers(SECURITY);
    done();
  });
  measureRequests(server, options.meter);
  traceRequests(server, options.tracer);
  if (options.rateLimit !== null) {
    await server.register(rateLimit, { max: options.rateLimit, timeWindow: '1 minute' });
  }
  await server.register(swagger, { openapi: openApi(options), transform: describeAnswers(options) });
  await server.register(swaggerUi, { routePrefix: '/docs', theme: DOCS_THEME });
  if (options.token !== null) requireToken(server, options.token);
  answerUnread();
  server.addHook('preHandler', refuseNul);
  server.get('/openapi.json', { schema: { hide: true } }, () => server.swagger());
  healthRoutes(server, shop);
  metricsRoute(server, options.meter);
  orderRoutes(server, shop);
  inventoryRoutes(server, shop);
  userRoutes(server, shop);
  liveRoutes(server, shop.live);
  deadLetterRoutes(server, shop.views);
  shopRoutes(server, shop.views);
  messageRoutes(server, shop.views);
  experimentRoutes(server, shop.experiments);
  analyticsRoutes(server, shop.views);
  reportRoutes(server, shop.views);
  pageRoutes(server);
  server.addHook('preClose', () => shop.live.feed.close());
  return server;
}

/** No name has a NUL, and PostgreSQL refuses texts with one. */
async function refuseNul({ params }: FastifyRequest): Promise<void> {
  const named = Object.values(params as Record<string, string>).find((name) => name.includes('\0'));
  if (named === undefined) return;
  throw new Failure('not_found', `${JSON.stringify(named)} does not exist: no name has a NUL`, {
    fix: 'send the name without %00',
  });
}
