import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { BOARD_HOURS, topProducts, type SalesBoard } from '../../app/analytics/sales.ts';
import { Failure } from '../../domain/failure.ts';
import { isoTime } from '../../domain/iso-time.ts';
import { DatedDailyReport, DatedHourlySales, DatedTopProducts } from '../../documents/http/analytics.ts';
import { Problem } from '../../documents/http/problem.ts';
import { documented } from '../../documents/http/request.ts';
import { hourlyDocument, topProductsDocument } from '../../documents/write/analytics.ts';
import { sumOf, type SalesWindow } from '../../views/sales-window.ts';
import type { Views } from '../shop.ts';
import { goneSignal } from './gone.ts';

const DAY_HOURS = 24;
const DEFAULT_LIMIT = 10;
const MAX_LIMIT = 1_000;

/** A string of digits, from 1 to `max`. */
const wholeNumber = (what: string, max: number) =>
  Type.Optional(
    Type.String({
      pattern: '^[1-9][0-9]{0,3}$',
      description: `a whole number from 1 to ${max}; ${what}`,
    }),
  );

const ABOUT =
  'An order counts in the hour (UTC) in which it was placed, however late it is decided. "as_of" is when the logs were ' +
  'read: requests soon after another receive the same result.';

const HOURLY = {
  tags: ['analytics'],
  summary: 'Orders and revenue by the hour',
  description: ABOUT,
  querystring: Type.Object(
    { hours: wholeNumber('number of hours to show, the current one included; default 24', BOARD_HOURS) },
    { additionalProperties: false },
  ),
  response: { 200: DatedHourlySales, 422: Problem },
};

const TOP = {
  tags: ['analytics'],
  summary: 'What sold most, by revenue',
  description: ABOUT,
  querystring: Type.Object(
    {
      hours: wholeNumber('only orders placed in the last hours; default all', BOARD_HOURS),
      limit: wholeNumber(`number of products; default ${DEFAULT_LIMIT}`, MAX_LIMIT),
    },
    { additionalProperties: false },
  ),
  response: { 200: DatedTopProducts, 422: Problem },
};

const REPORT = {
  tags: ['analytics'],
  summary: 'The sales of a day by product and source, what sold most, and what was low at its end',
  description:
    'The output of "orderctl report show". "complete": the day is over; late events still change it. "as_of" is when ' +
    'the logs were read: requests soon after another receive the same result.',
  params: Type.Object({
    date: documented(
      Type.String({
        pattern: String.raw`^(?:\d{4}-\d{2}-\d{2}|today|yesterday)$`,
        description: 'a date such as 2026-11-27, today or yesterday',
      }),
      {
        type: 'string',
        enum: ['today', 'yesterday'],
        description: 'or a date, such as 2026-11-27',
      },
    ),
  }),
  querystring: Type.Object(
    {
      time_zone: Type.Optional(
        documented(Type.String({ minLength: 1, maxLength: 64 }), {
          type: 'string',
          enum: ['UTC'],
          description: 'or a name such as Europe/Berlin; default: that of the server',
        }),
      ),
    },
    { additionalProperties: false },
  ),
  response: { 200: DatedDailyReport, 422: Problem },
};

export function reportRoutes(server: FastifyInstance, { report }: Pick<Views, 'report'>): void {
  server.get('/reports/:date', { schema: REPORT }, async (request, reply): Promise<DatedDailyReport> => {
    const { date } = request.params as { date: string };
    const { time_zone: zone = null } = request.query as { time_zone?: string };
    if (zone !== null) checkZone(zone);
    const { result, at } = await report(date, zone, goneSignal(reply));
    return { as_of: isoTime(at), ...result };
  });
}

/** @throws Failure invalid_value */
function checkZone(zone: string): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new Failure('invalid_value', `time_zone ${JSON.stringify(zone)} is not a time zone`, {
      fix: 'use a name such as Europe/Berlin, or UTC',
    });
  }
}

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
