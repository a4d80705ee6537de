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

/** Lets a subcommand accept a day, as its argument or as a flag. */
export function takingDay(command: Command): Command {
  return command
    .argument('[DATE]', 'the day, or today (default: yesterday)')
    .option('--date <DATE>', 'the same, as a flag')
    .option('--time-zone <NAME>', "time zone of the day (default: this machine's)");
}

/** Merges the day argument into the flags. @throws Failure usage: --date names another day */
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

/** The report of a day, as a document. @throws Failure those of the store; the signal's reason */
export async function reportOf(
  access: StoreAccess,
  day: Day,
  options: Parameters<typeof dailyReport>[2],
): Promise<DailyReport> {
  await using reader = await access.read();
  const report = await dailyReport(reader, day, options);
  return dailyDocument(report, topProducts(report.total, TOP));
}

export function csvRows({ report_date, sales }: DailyReport): readonly object[] {
  return sales.map((row) => ({ report_date, ...row }));
}

/** Prints the date, since the user may not have given one, and the totals. */
export function printDay({ printer }: Session, report: DailyReport, { date }: DayFlags): void {
  const { report_date, time_zone, complete, order_count, total_sales } = report;
  const which = date === undefined ? 'yesterday, ' : '';
  const state = complete ? '' : hasBegun(report) ? ' so far' : ' has not begun';
  printer.info(
    `${which}${report_date} (${time_zone})${state}: ${count(order_count, 'order')}, ${total_sales} in sales`,
  );
  if (date === undefined && order_count === 0)
    printer.info('for the sales of today so far: orderctl report show today');
}

export function hasBegun({ from }: DailyReport): boolean {
  return Date.parse(from) <= systemClock.now();
}

/** Prints how many sold lines have no price, if any. */
export function printUnpriced({ printer }: Session, { unpriced_lines: lines }: DailyReport): void {
  if (lines > 0) printer.info(unpricedLine(lines));
}
