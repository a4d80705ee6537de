import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance } from 'fastify';

/**
 * Open without a token, since they reveal nothing about the shop: checks of the process, the description of the API, and the
 * page that asks for the token. Reads are not: orders hold names and addresses.
 */
const OPEN = new Set(['/healthz', '/readyz', '/openapi.json', '/docs', '/', '/page.js', '/page.css']);
/** Likewise all of the page that shows the description. */
const OPEN_FOLDER = '/docs/';

/** Whether a header `Authorization` has the token, as a bearer (RFC 6750). */
export function tokenCheck(token: string): (authorization: string | undefined) => boolean {
  const wanted = digest(`Bearer ${token}`);
  // Of digests: texts of other lengths take as long to compare.
  return (authorization) => timingSafeEqual(digest(authorization ?? ''), wanted);
}

/** Asks every request for the token. */
export function requireToken(server: FastifyInstance, token: string): void {
  const isAllowed = tokenCheck(token);
  server.addHook('onRequest', async (request, reply) => {
    // The route that was found, not the path as it was written.
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
