import type { Command } from 'commander';
import type { DailyReport } from '../../../documents/reports/daily.ts';
import { describe } from '../../help.ts';
import { openCsv } from '../../output/csv.ts';
import { printTable } from '../../output/print-table.ts';
import type { Session } from '../../session.ts';
import {
  CSV_COLUMNS,
  csvRows,
  readDay,
  printDay,
  printUnpriced,
  takingDay,
  withDate,
  type DayFlags,
} from './day.ts';

export function registerShow(report: Command, session: Session): void {
  takingDay(
    describe(report.command('show'), {
      alias: 'list',
      summary: 'print the sales of a day',
      isTable: true,
      prose:
        'Prints the sales of a day by product and source, their total, and the items low in stock at its end. Writes no ' +
        'files. -o json also has the sales by hour and the top products.',
      examples: [
        ['orderctl report show 2026-11-27 --time-zone Europe/Berlin', 'the sales of that day'],
        ['orderctl report show today -o csv', 'the sales so far, for a spreadsheet'],
      ],
    }),
  ).action(async (given: string | undefined, flags: DayFlags) => {
    const day = withDate(given, flags);
    await show(session, await readDay(session, day), day);
  });
}

async function show(session: Session, report: DailyReport, flags: DayFlags): Promise<void> {
  const { printer, isJson, isCsv } = session;
  if (isJson) {
    await printer.data(`${JSON.stringify(report)}\n`);
    return;
  }
  if (isCsv) {
    await (
      await openCsv(printer, CSV_COLUMNS)
    )(csvRows(report));
    return;
  }
  const { sales, low_stock } = report;
  printDay(session, report, flags);
  if (sales.length > 0) {
    await printTable(printer, sales, [
      { title: 'PRODUCT', cell: (row) => row.product_id },
      { title: 'SOURCE', isWhole: true, cell: (row) => row.source },
      { title: 'SOLD', align: 'right', isWhole: true, cell: (row) => String(row.total_quantity) },
      { title: 'REVENUE', align: 'right', isWhole: true, cell: (row) => row.total_revenue },
    ]);
  }
  printUnpriced(session, report);
  const low = low_stock.map(({ product_id, on_hand }) => `${product_id} (${on_hand})`);
  if (low.length > 0)
    printer.info(`low at the end of the day: ${low.slice(0, LISTED).join(', ')}${more(low.length)}`);
}

const LISTED = 10;

function more(all: number): string {
  return all > LISTED ? `, and ${all - LISTED} more` : '';
}
