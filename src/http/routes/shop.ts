import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { ALERT_KINDS } from '../../domain/messages/shop/alert.ts';
import { isPageMark } from '../../app/topics/from-end.ts';
import { NotificationPage, OrderRecords } from '../../documents/http/messages.ts';
import { Failure } from '../../domain/failure.ts';
import { isName } from '../../domain/names.ts';
import { AlertPage, type Alert } from '../../documents/http/alerts.ts';
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
    'As far back as the topic of alerts keeps them. A page reads a bounded part of it: it may be short, or empty, and ' +
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
  response: { 200: AlertPage, 422: Problem },
};

export function shopRoutes(server: FastifyInstance, { alerts, processors, audit }: Views): void {
  server.get('/alerts', { schema: ALERTS }, async (request, reply): Promise<AlertPage> => {
    const query = request.query as PageQuery & { item?: string; kind?: Alert['kind'] };
    const { item = null, kind = null } = query;
    const page = await alerts({
      filter: { item, kind, ...timesOf(query) },
      limit: limitOf(query),
      mark: markOf(query, isPageMark),
      signal: goneSignal(reply),
    });
    return { alerts: [...page.alerts], next: page.next === null ? null : cursorOf(page.next) };
  });
  server.get(
    '/processors',
    {
      schema: {
        tags: TAGS,
        summary: 'The services of the shop: which run, how much waits for each, and their pending effects',
        response: { 200: ProcessorList },
      },
    },
    () => processors(),
  );
  server.get(
    '/audit',
    {
      schema: {
        tags: TAGS,
        summary: 'Whether the books balance, checking every line',
        description:
          'The output of "orderctl audit". One audit runs at a time: requests while it runs, or soon after, receive the ' +
          'same result; "checked_at" is its time. It is cancelled when every client that waits for it has disconnected.',
        response: { 200: CheckedAudit },
      },
    },
    (_request, reply) => audit(goneSignal(reply)),
  );
}

export function messageRoutes(server: FastifyInstance, { notifications, orderRecords }: Views): void {
  server.get(
    '/notifications',
    {
      schema: {
        tags: ['orders'],
        summary: 'Messages to customers, the latest first, and the outcome of each',
        description:
          'As far back as their topic keeps them. A page reads a bounded part of it: it may be short, or empty, and ' +
          'still have a "next".',
        querystring: Type.Object(
          { order: Type.Optional(Type.String({ maxLength: 128, description: 'its id' })), ...PAGE },
          { additionalProperties: false },
        ),
        response: { 200: NotificationPage, 422: Problem },
      },
    },
    async (request, reply): Promise<NotificationPage> => {
      const query = request.query as PageQuery & { order?: string };
      const page = await notifications({
        filter: { orderId: query.order ?? null },
        limit: limitOf(query),
        mark: markOf(query, isPageMark),
        signal: goneSignal(reply),
      });
      return {
        notifications: [...page.notifications],
        next: page.next === null ? null : cursorOf(page.next),
      };
    },
  );
  server.get(
    '/orders/:id/records',
    {
      schema: {
        tags: ['orders'],
        summary: 'The records that led to the steps of an order, as they are in Kafka, raw and decoded',
        params: Type.Object({ id: Type.String() }),
        response: { 200: OrderRecords, 404: Problem },
      },
    },
    async (request): Promise<OrderRecords> => {
      const { id } = request.params as { id: string };
      const records = isName(id) ? await orderRecords(id) : undefined;
      if (records !== undefined) return { order_id: id, records: [...records] };
      throw new Failure('not_found', `order ${id} is not decided`, {
        fix: `see what is known of it: GET /orders/${id}`,
        context: { orderId: id },
      });
    },
  );
}
