import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { isPageMark } from '../../app/topics/from-end.ts';
import { ALERT_KINDS, AlertPage, type Alert } from '../../documents/http/alerts.ts';
import { CheckedAudit } from '../../documents/http/checked-audit.ts';
import { Problem } from '../../documents/http/problem.ts';
import { ProcessorList } from '../../documents/http/processors.ts';
import type { Views } from '../shop.ts';
import { goneSignal } from './gone.ts';
import { cursorOf, limitOf, markOf, PAGE, timeRange, timesOf, type PageQuery } from './pages.ts';

const TAGS = ['shop'];

const ALERTS = {
  tags: ['inventory'],
  summary: 'Stock that needed attention, the latest first',
  description:
    'As far back as the topic of alerts keeps them. A page looks at a bounded part of it: it may be short, or empty, and ' +
    'still have a "next".',
  querystring: Type.Object(
    {
      item: Type.Optional(Type.String({ maxLength: 128 })),
      kind: Type.Optional(Type.Enum(ALERT_KINDS)),
      ...timeRange('sent'),
      ...PAGE,
    },
    { additionalProperties: false },
  ),
  response: { 200: AlertPage, 422: Problem, 503: Problem },
};

export function shopRoutes(server: FastifyInstance, { alerts, processors, audit }: Views): void {
  server.get('/alerts', { schema: ALERTS }, async (request, reply): Promise<AlertPage> => {
    const query = request.query as PageQuery & { item?: string; kind?: Alert['kind'] };
    const { item = null, kind = null } = query;
    const page = await alerts({
      filter: { item, kind, ...timesOf(query) },
      ...{ limit: limitOf(query), mark: markOf(query, isPageMark), signal: goneSignal(reply) },
    });
    return { alerts: [...page.alerts], next: page.next === null ? null : cursorOf(page.next) };
  });
  server.get(
    '/processors',
    {
      schema: {
        ...{
          tags: TAGS,
          summary: 'The services of the shop: which run, what waits for each, what each owes',
        },
        response: { 200: ProcessorList, 503: Problem },
      },
    },
    () => processors(),
  );
  server.get(
    '/audit',
    {
      schema: {
        tags: TAGS,
        summary: 'Whether the books balance, each line looked at',
        description:
          'What "orderctl audit" prints. One audit at a time: who asks while it runs, or soon after, receives the same; ' +
          '"checked_at" says as of when. It ends when all who wait for it have gone.',
        response: { 200: CheckedAudit, 503: Problem },
      },
    },
    (_request, reply) => audit(goneSignal(reply)),
  );
}
