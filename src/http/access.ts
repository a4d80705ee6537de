import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance } from 'fastify';

/**
 * Routes that need no token, since they reveal nothing about the shop: health checks, the description of the API, and
 * the page that asks for the token. Other reads need one: orders have names and addresses.
 */
const OPEN = new Set(['/healthz', '/readyz', '/openapi.json', '/docs', '/', '/page.js', '/page.css']);
/** Likewise all files of the page that shows the description. */
const OPEN_FOLDER = '/docs/';

/** Returns a check whether a header `Authorization` has the bearer token (RFC 6750). */
export function tokenCheck(token: string): (authorization: string | undefined) => boolean {
  const wanted = digest(`Bearer ${token}`);
  // Digests have one length, so the comparison takes the same time for every text.
  return (authorization) => timingSafeEqual(digest(authorization ?? ''), wanted);
}

/** Requires the token on every request. */
export function requireToken(server: FastifyInstance, token: string): void {
  const isAllowed = tokenCheck(token);
  server.addHook('onRequest', async (request, reply) => {
    // The matched route, not the path as the client wrote it.
    const { url = '' } = request.routeOptions;
    if (OPEN.has(url) || url.startsWith(OPEN_FOLDER)) return;
    if (isAllowed(request.headers.authorization)) return;
    const problem = {
      type: 'about:blank',
      title: 'unauthorized',
      status: 401,
      code: 'usage',
      detail: 'the request has no token, or a wrong one',
      fix: 'send the header "Authorization: Bearer TOKEN"',
      order_id: null,
    };
    await reply
      .code(401)
      .header('www-authenticate', 'Bearer')
      .type('application/problem+json')
      .send(JSON.stringify(problem));
  });
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
