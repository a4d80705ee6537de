import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { ExperimentBegun, ExperimentKind, ExperimentList, Seed } from '../../documents/http/experiment.ts';
import { Problem } from '../../documents/http/problem.ts';
import { Failure } from '../../domain/failure.ts';
import type { ExperimentKind as Kind } from '../../domain/experiments/kinds.ts';
import type { Experiments } from '../shop.ts';

const TAGS = ['experiments'];

export function experimentRoutes(server: FastifyInstance, experiments: Experiments): void {
  server.get(
    '/experiments',
    {
      schema: {
        tags: TAGS,
        summary: 'Experiments on the shop of "orderctl up", and their results',
        response: { 200: ExperimentList },
      },
    },
    () => experiments.list(),
  );
  server.post(
    '/experiments',
    {
      schema: {
        tags: TAGS,
        summary: 'Kill a part of the shop, send garbage, and the like',
        description:
          'Only on the shop of an "orderctl up" with a broker of its own, and only from this machine.',
        body: Type.Object(
          { kind: ExperimentKind, seed: Type.Optional(Seed) },
          { additionalProperties: false },
        ),
        response: { 202: ExperimentBegun, 400: Problem, 409: Problem, 422: Problem },
      },
    },
    async (request, reply) => {
      refuseOthers(request);
      const { kind, seed = null } = request.body as { kind: Kind; seed?: number };
      return reply.code(202).send(await experiments.begin(kind, seed));
    },
  );
}

const LOOPBACK_NAMES = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/;
const LOOPBACK_ADDRESSES = /^(?:::ffff:)?127\.|^::1$/;

/**
 * Checks the host name too, since another site's name may resolve to this machine (DNS rebinding).
 *
 * @throws Failure usage
 */
function refuseOthers({ headers, ip }: FastifyRequest): void {
  if (LOOPBACK_NAMES.test(headers.host ?? '') && LOOPBACK_ADDRESSES.test(ip)) return;
  throw new Failure('usage', 'experiments can only be started from this machine', {
    fix: 'call http://127.0.0.1 on the machine itself',
  });
}
