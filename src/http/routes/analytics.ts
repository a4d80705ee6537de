import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { BOARD_HOURS, topProducts, type SalesBoard } from '../../app/analytics/sales.ts';
import { isoTime } from '../../domain/iso-time.ts';
import { DatedHourlySales, DatedTopProducts } from '../../documents/http/analytics.ts';
import { Problem } from '../../documents/http/problem.ts';
import { hourlyDocument, topProductsDocument } from '../../documents/write/analytics.ts';
import { sumOf, type SalesWindow } from '../../views/sales-window.ts';
import type { Views } from '../shop.ts';
import { goneSignal } from './gone.ts';

const DAY_HOURS = 24;
const DEFAULT_LIMIT = 10;
const MAX_LIMIT = 1_000;

/** Digits, from 1 to a most. */
const wholeNumber = (what: string, max: number) =>
  Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,3}$', description: `${what}, at most ${max}` }));

const ABOUT =
  'An order counts in the hour (UTC) in which it was placed, however late it is decided. "as_of" says when the logs were ' +
  'read: who asks soon after another receives the same.';

const HOURLY = {
  tags: ['analytics'],
  summary: 'Orders and revenue by the hour',
  description: ABOUT,
  querystring: Type.Object(
    { hours: wholeNumber('the last so many hours, the current one included; without it 24', BOARD_HOURS) },
    { additionalProperties: false },
  ),
  response: { 200: DatedHourlySales, 422: Problem, 503: Problem },
};

const TOP = {
  tags: ['analytics'],
  summary: 'What sold most, by revenue',
  description: ABOUT,
  querystring: Type.Object(
    {
      hours: wholeNumber('of orders placed in the last so many hours; without it all', BOARD_HOURS),
      limit: wholeNumber(`so many; without it ${DEFAULT_LIMIT}`, MAX_LIMIT),
    },
    { additionalProperties: false },
  ),
  response: { 200: DatedTopProducts, 422: Problem, 503: Problem },
};

export function analyticsRoutes(server: FastifyInstance, { sales }: Pick<Views, 'sales'>): void {
  server.get('/analytics/hourly', { schema: HOURLY }, async (request, reply): Promise<DatedHourlySales> => {
    const { hours = String(DAY_HOURS) } = request.query as { hours?: string };
    const { result, at } = await sales(goneSignal(reply));
    const windows = lastOf(result, hours);
    return { as_of: isoTime(at), ...hourlyDocument(windows, sumOf(windows)) };
  });
  server.get(
    '/analytics/top-products',
    { schema: TOP },
    async (request, reply): Promise<DatedTopProducts> => {
      const { hours, limit = String(DEFAULT_LIMIT) } = request.query as { hours?: string; limit?: string };
      const { result, at } = await sales(goneSignal(reply));
      const sold = hours === undefined ? result.all : sumOf(lastOf(result, hours));
      const products = topProducts(sold, Math.min(Number(limit), MAX_LIMIT));
      const range = hours === undefined ? null : { from: sold.start, until: sold.end };
      return { as_of: isoTime(at), ...topProductsDocument(products, range) };
    },
  );
}

function lastOf({ hours }: SalesBoard, count: string): readonly SalesWindow[] {
  return hours.slice(-Math.min(Number(count), BOARD_HOURS));
}
