import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import type { DeadLetterMark } from '../../app/dlq/page.ts';
import { DEAD_LETTER_STATES, type DeadLetterState } from '../../app/dlq/dead-letters.ts';
import { SCOPES } from '../../app/dlq/scope.ts';
import { isPageMark } from '../../app/topics/from-end.ts';
import { RedrivenDeadLetter, ShownDeadLetter } from '../../documents/dead-letter.ts';
import { DeadLetterPage } from '../../documents/http/dead-letters.ts';
import { Problem } from '../../documents/http/problem.ts';
import { documented } from '../../documents/http/request.ts';
import { DEAD_LETTER_ID_PATTERN } from '../../domain/topics/dead-letter-id.ts';
import { nullable } from '../../documents/shapes.ts';
import type { Views } from '../shop.ts';
import { goneSignal } from './gone.ts';
import { cursorOf, limitOf, markOf, PAGE, timeRange, timesOf, type PageQuery } from './pages.ts';

const TAGS = ['dead letters'];
const Id = Type.Object({
  id: Type.String({
    description: 'an id, as in the list: TOPIC:PARTITION:OFFSET or kept:TOPIC/PARTITION@OFFSET',
    pattern: DEAD_LETTER_ID_PATTERN,
  }),
});
const Name = Type.Optional(Type.String({ minLength: 1, maxLength: 256 }));

const LIST = {
  tags: TAGS,
  summary: 'Records that could not be processed, the latest first',
  description:
    'Of every processor, or of one. A page reads a bounded part of the topics: it may be short, or empty, and still ' +
    'have a "next".',
  querystring: Type.Object(
    {
      processor: Type.Optional(
        documented(Type.String({ minLength: 1, maxLength: 256 }), { type: 'string', enum: SCOPES }),
      ),
      state: Type.Optional(Type.Enum(DEAD_LETTER_STATES)),
      reason: Type.Optional(
        Type.String({ minLength: 1, maxLength: 256, description: 'the error code; unknown: without one' }),
      ),
      original_topic: Name,
      original_group: Name,
      ...timeRange('failed'),
      ...PAGE,
    },
    { additionalProperties: false },
  ),
  response: { 200: DeadLetterPage, 422: Problem },
};

const REDRIVE = {
  tags: TAGS,
  summary: 'Send a dead letter back to where it came from',
  description:
    'Unchanged, or with a corrected value; a charge or mail that failed is tried once more. "now" says ' +
    'whether it would fail again; with dry_run=true nothing is sent.',
  params: Id,
  querystring: Type.Object(
    { dry_run: Type.Optional(Type.Enum(['true', 'false'])) },
    { additionalProperties: false },
  ),
  body: nullable(
    Type.Object(
      {
        value: Type.Optional(
          Type.Object(
            {},
            { additionalProperties: true, description: 'sent as JSON instead of its own value' },
          ),
        ),
      },
      { additionalProperties: false },
    ),
  ),
  response: { 200: RedrivenDeadLetter, 404: Problem, 409: Problem, 422: Problem },
};

interface ListQuery extends PageQuery {
  readonly processor?: string;
  readonly state?: DeadLetterState;
  readonly reason?: string;
  readonly original_topic?: string;
  readonly original_group?: string;
}

export function deadLetterRoutes(server: FastifyInstance, { deadLetters }: Views): void {
  server.get('/dead-letters', { schema: LIST }, async (request, reply): Promise<DeadLetterPage> => {
    const query = request.query as ListQuery;
    const page = await deadLetters.page({
      processor: query.processor ?? 'all',
      filter: {
        reason: query.reason ?? null,
        state: query.state ?? null,
        ...timesOf(query),
        originalTopic: query.original_topic ?? null,
        originalGroup: query.original_group ?? null,
      },
      limit: limitOf(query),
      mark: markOf(query, isDeadLetterMark),
      signal: goneSignal(reply),
    });
    return {
      dead_letters: [...page.deadLetters],
      next: page.next === null ? null : cursorOf(page.next),
    };
  });
  server.get(
    '/dead-letters/:id',
    {
      schema: {
        tags: TAGS,
        summary: 'A dead letter, decoded',
        params: Id,
        response: { 200: ShownDeadLetter, 404: Problem, 422: Problem },
      },
    },
    (request) => deadLetters.show((request.params as { id: string }).id),
  );
  server.post('/dead-letters/:id/redrive', { schema: REDRIVE }, (request) => {
    const { value } = (request.body ?? {}) as { value?: object };
    const bytes = value === undefined ? null : Buffer.from(JSON.stringify(value));
    const isDryRun = (request.query as { dry_run?: string }).dry_run === 'true';
    return deadLetters.redrive((request.params as { id: string }).id, bytes, isDryRun);
  });
}

function isDeadLetterMark(value: unknown): value is DeadLetterMark {
  if (typeof value !== 'object' || value === null || !('kept' in value) || !('records' in value))
    return false;
  const { kept, records } = value;
  return (kept === null || typeof kept === 'string') && (records === null || isPageMark(records));
}
