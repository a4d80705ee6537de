import type { Command } from 'commander';
import { HOUR_MS } from '../../../domain/iso-time.ts';
import { hourlySales, lastHours, wholeHours, type Hours } from '../../../app/analytics/sales.ts';
import { systemClock } from '../../../compose.ts';
import { hourlyDocument } from '../../../documents/write/analytics.ts';
import type { HourlySales, Sales } from '../../../documents/reports/analytics.ts';
import { sumOf } from '../../../views/sales-window.ts';
import { describe } from '../../help.ts';
import { openCsv } from '../../output/csv.ts';
import { printTable } from '../../output/print-table.ts';
import type { Column } from '../../output/table.ts';
import { count } from '../../output/text.ts';
import { Failure } from '../../../domain/failure.ts';
import { takingTimes, timeRange, wholeNumber, type TimeFlags } from '../../parse.ts';
import type { Session } from '../../session.ts';
import { openStoreOf } from '../../store.ts';

const DAY_HOURS = 24;
/** A year. */
const MAX_HOURS = 366 * DAY_HOURS;

export function registerShow(analytics: Command, session: Session): void {
  const command = describe(analytics.command('show'), {
    alias: 'list',
    summary: 'show orders and revenue by hour',
    isTable: true,
    prose:
      'Shows orders and revenue by the hour in which the orders were placed, and their sums. The table omits hours ' +
      'without orders; -o json and -o csv have every hour, with failures by reason, the funnel of the checkout and the ' +
      'duration of its steps. LATE orders were decided more than a minute after the end of their hour. --since and ' +
      '--until select whole hours.',
    examples: [
      ['orderctl analytics show --hours 48', 'the last two days'],
      ['orderctl analytics show --since 2026-11-27 --until 2026-11-28 -o csv', 'a day, for a spreadsheet'],
    ],
  }).option('--hours <N>', 'the last N hours, including the current one (default: 24)');
  takingTimes(command, 'placed').action(async (flags: SalesFlags) => {
    const now = systemClock.now();
    const { since, until } = salesRange(flags, now);
    const begin = since ?? (until ?? now) - (DAY_HOURS - 1) * HOUR_MS;
    const isPlain = since === null && until === null;
    await show(session, isPlain ? lastHours(DAY_HOURS, now) : hoursBetween(begin, until, now), now);
  });
}

export interface SalesFlags extends TimeFlags {
  hours?: string;
}

/** When orders were placed, milliseconds since the epoch; null: not given. @throws Failure usage, invalid_value */
export function salesRange(
  flags: SalesFlags,
  now: number,
): { readonly since: number | null; readonly until: number | null } {
  if (flags.hours === undefined) {
    const { sinceMs, untilMs } = timeRange(flags, now);
    return { since: sinceMs, until: untilMs };
  }
  if (flags.since !== undefined || flags.until !== undefined) {
    throw new Failure('usage', '--hours cannot be combined with --since and --until', {
      fix: 'use one or the other',
    });
  }
  const { from, until } = lastHours(hoursGiven(flags.hours), now);
  return { since: from, until };
}

/** @param until null: up to now @throws Failure invalid_value */
function hoursBetween(since: number, until: number | null, now: number): Hours {
  const hours = wholeHours(since, until ?? Math.max(since, now) + 1);
  if ((hours.until - hours.from) / HOUR_MS <= MAX_HOURS) return hours;
  const message =
    until === null ? '--since is more than a year ago' : '--since and --until are more than a year apart';
  throw new Failure('invalid_value', message, { fix: 'choose at most a year' });
}

/** @throws Failure invalid_value */
function hoursGiven(text: string): number {
  return wholeNumber('--hours', text, { min: 1, max: MAX_HOURS });
}

type Row = Sales & { readonly name: string };

const COLUMNS: readonly Column<Row>[] = [
  { title: 'HOUR', isWhole: true, cell: (row) => row.name },
  numeric('ORDERS', (row) => row.order_count),
  numeric('COMPLETED', (row) => row.completed),
  numeric('REJECTED', (row) => row.rejected),
  numeric('FAILED', (row) => row.failed),
  numeric('CANCELLED', (row) => row.cancelled),
  numeric('OPEN', (row) => row.open),
  numeric('LATE', (row) => row.late),
  numeric('REVENUE', (row) => row.total_revenue),
  numeric('AVERAGE', (row) => row.avg_order_value ?? '-'),
];

/** The columns do not all fit in 80: a narrow terminal omits these first. */
const without = (...titles: readonly string[]) => COLUMNS.filter(({ title }) => !titles.includes(title));
const NARROW_COLUMNS = [without('LATE'), without('LATE', 'OPEN'), without('LATE', 'OPEN', 'CANCELLED')];

function numeric(title: string, cell: (row: Row) => number | string): Column<Row> {
  return { title, align: 'right', isWhole: true, cell: (row) => String(cell(row)) };
}

async function show(session: Session, hours: Hours, now: number): Promise<void> {
  const { printer, isJson, isCsv } = session;
  const access = await openStoreOf(session);
  await using reader = await access.read();
  const windows = await hourlySales(reader, hours);
  const document = hourlyDocument(windows, sumOf(windows));
  if (isJson) {
    await printer.data(`${JSON.stringify(document)}\n`);
    return;
  }
  if (isCsv) {
    await (
      await openCsv(printer, CSV_COLUMNS)
    )(document.windows);
    return;
  }
  if (document.total.order_count === 0) {
    const length = (hours.until - hours.from) / HOUR_MS;
    printer.info(
      hours.until > now && hours.until <= now + HOUR_MS
        ? `no order was placed in the last ${length === 1 ? 'hour' : count(length, 'hour')}`
        : 'no order was placed then',
    );
    return;
  }
  await printTable(printer, rowsOf(document), COLUMNS, ...NARROW_COLUMNS);
  printUnpriced(session, document.total.unpriced_lines);
}

/** @param lines the number of sold lines without a price */
export function printUnpriced({ printer }: Session, lines: number): void {
  if (lines === 0) return;
  const sold = lines === 1 ? '1 sold line has' : `${count(lines, 'sold line')} have`;
  printer.info(`${sold} no price, and ${lines === 1 ? 'adds' : 'add'} nothing to the revenue`);
}

const CSV_COLUMNS = [
  'window_start',
  'order_count',
  'total_revenue',
  'avg_order_value',
  'completed',
  'rejected',
  'failed',
  'cancelled',
  'open',
  'refunded',
  'unpriced_lines',
  'late',
  'funnel_validated',
  'funnel_paid',
  'funnel_reserved',
  'seconds_validate',
  'seconds_pay',
  'seconds_reserve',
  'seconds_dispatch',
];

function rowsOf({ windows, total }: HourlySales): Row[] {
  const rows = windows
    .filter((window) => window.order_count > 0)
    .map((window) => ({ ...window, name: `${window.window_start.slice(0, 16).replace('T', ' ')}Z` }));
  return [...rows, { ...total, name: 'all' }];
}
