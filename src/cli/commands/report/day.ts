import type { Command } from 'commander';
import { dailyReport, type Day } from '../../../app/report/daily.ts';
import { topProducts } from '../../../app/analytics/sales.ts';
import { systemClock } from '../../../compose.ts';
import type { DailyReport } from '../../../documents/reports/daily.ts';
import { dailyDocument } from '../../../documents/write/daily.ts';
import type { StoreAccess } from '../../../ports/access.ts';
import { dayOf } from '../../parse.ts';
import { nameGiven } from '../../named.ts';
import { unpricedLine } from '../../output/report/unpriced.ts';
import { count } from '../../output/text.ts';
import type { Session } from '../../session.ts';
import { openStoreOf } from '../../store.ts';

export interface DayFlags {
  readonly date?: string;
  readonly timeZone?: string;
}

const TOP = 10;

/** Gives a verb a day, as its argument or by a flag. */
export function takingDay(command: Command): Command {
  return command
    .argument('[DATE]', 'the day, also today (default: yesterday)')
    .option('--date <DATE>', 'the same by a flag')
    .option('--time-zone <NAME>', 'of the day (default: of this machine)');
}

/** With the day that is given as an argument. @throws Failure usage: the flag names another one */
export function withDate<F extends DayFlags>(given: string | undefined, flags: F): F {
  const date = nameGiven('--date', given, flags.date);
  return date === undefined ? flags : { ...flags, date };
}

export const CSV_COLUMNS = ['report_date', 'product_id', 'source', 'total_quantity', 'total_revenue'];

/** @throws Failure invalid_value, and those of the store */
export async function readDay(session: Session, { date, timeZone }: DayFlags): Promise<DailyReport> {
  const now = systemClock.now();
  const day = dayOf('--date', date, { timeZone, now });
  return await reportOf(await openStoreOf(session), day, {
    now,
    lowStock: Number(session.settings.lowStock),
  });
}

/** The sales of a day as they are printed. @throws Failure those of the store; the signal's reason */
export async function reportOf(
  access: StoreAccess,
  day: Day,
  how: Parameters<typeof dailyReport>[2],
): Promise<DailyReport> {
  await using reader = await access.read();
  const report = await dailyReport(reader, day, how);
  return dailyDocument(report, topProducts(report.total, TOP));
}

export function csvRows({ report_date, sales }: DailyReport): readonly object[] {
  return sales.map((row) => ({ report_date, ...row }));
}

/** Which day it is of, and what was sold: the caller may not have named one. */
export function sayDay({ printer }: Session, report: DailyReport, { date }: DayFlags): void {
  const { report_date, time_zone, complete, order_count, total_sales } = report;
  const which = date === undefined ? 'yesterday, ' : '';
  const how = complete ? '' : hasBegun(report) ? ' so far' : ' has not begun';
  printer.info(
    `${which}${report_date} (${time_zone})${how}: ${count(order_count, 'order')}, ${total_sales} in sales`,
  );
  if (date === undefined && order_count === 0)
    printer.info('"orderctl report show today" has what this day has so far');
}

export function hasBegun({ from }: DailyReport): boolean {
  return Date.parse(from) <= systemClock.now();
}

/** Sales that the report cannot count as money. */
export function sayUnpriced({ printer }: Session, { unpriced_lines: lines }: DailyReport): void {
  if (lines > 0) printer.info(unpricedLine(lines));
}
