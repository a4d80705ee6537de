import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Failure } from '../domain/failure.ts';
import type { Problem } from '../documents/http/problem.ts';

/**
 * Answers requests that match no route: 405 with the methods of the path (RFC 9110, section 15.5.6), otherwise 404.
 *
 * @returns a function that adds the hook, which runs before a body is read; add it after the check of the token
 */
export function answerOtherMethods(server: FastifyInstance): () => void {
  /** The methods of each path, and the expression that matches it. */
  const routes = new Map<string, { readonly matches: RegExp; readonly methods: Set<string> }>();
  server.addHook('onRoute', ({ url, method }) => {
    const route = routes.get(url) ?? { matches: patternOf(url), methods: new Set() };
    for (const one of [method].flat()) route.methods.add(one);
    routes.set(url, route);
  });
  const answer = ({ method, url }: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const [path = ''] = url.split('?');
    const found = [...routes.values()].filter(({ matches }) => matches.test(path));
    const allowed = [...new Set(found.flatMap(({ methods }) => [...methods]))];
    if (allowed.length === 0) {
      throw new Failure('not_found', `${method} ${path} does not exist`, {
        fix: 'see /docs for what exists',
      });
    }
    const problem: Problem = {
      type: 'about:blank',
      title: 'usage',
      status: 405,
      code: 'usage',
      detail: `${method} ${path} does not exist`,
      fix: `use ${allowed.join(' or ')}`,
      order_id: null,
    };
    return reply
      .code(405)
      .header('allow', allowed.join(', '))
      .type('application/problem+json')
      .send(JSON.stringify(problem));
  };
  server.setNotFoundHandler(answer);
  return () => {
    server.addHook('onRequest', (request, reply, done) => {
      if (request.is404) void answer(request, reply);
      else done();
    });
  };
}

/** `/orders/:id` as a regular expression; a parameter is one segment of a path. */
function patternOf(url: string): RegExp {
  const pieces = url
    .split('/')
    .map((piece) =>
      piece.startsWith(':') ? '[^/]+' : piece.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`),
    );
  return new RegExp(`^${pieces.join('/')}$`);
}
