import type { Command } from 'commander';
import { salesIn, topProducts } from '../../../app/analytics/sales.ts';
import { systemClock } from '../../../compose.ts';
import { topProductsDocument } from '../../../documents/write/analytics.ts';
import { describe } from '../../help.ts';
import { openCsv } from '../../output/csv.ts';
import { printTable } from '../../output/print-table.ts';
import { takingTimes, wholeNumber } from '../../parse.ts';
import type { Session } from '../../session.ts';
import { openStoreOf } from '../../store.ts';
import { printUnpriced, salesRange, type SalesFlags } from './show.ts';

const DEFAULT_LIMIT = 10;
const MAX_LIMIT = 100_000;

interface TopFlags extends SalesFlags {
  limit?: string;
}

export function registerTop(analytics: Command, session: Session): void {
  const command = describe(analytics.command('top'), {
    summary: 'show the products with the most revenue',
    isTable: true,
    prose:
      'Lists products by their revenue in accepted and completed orders, less refunds; products with equal revenue by ' +
      'the quantity sold.',
    examples: [
      ['orderctl analytics top', 'the top ten of all time'],
      ['orderctl analytics top --hours 24 --limit 3', 'the top three of the last day'],
    ],
  })
    .option('--limit <N>', `the first N products (default: ${DEFAULT_LIMIT})`)
    .option('--hours <N>', 'of orders placed in the last N hours (default: all)');
  takingTimes(command, 'placed').action(async (flags: TopFlags) => {
    await top(session, flags);
  });
}

async function top(session: Session, flags: TopFlags): Promise<void> {
  const { printer, isJson, isCsv } = session;
  const limit =
    flags.limit === undefined
      ? DEFAULT_LIMIT
      : wholeNumber('--limit', flags.limit, { min: 1, max: MAX_LIMIT });
  const { since, until } = salesRange(flags, systemClock.now());
  const access = await openStoreOf(session);
  await using reader = await access.read();
  const sales = await salesIn(reader, {
    ...(since === null ? {} : { from: since }),
    ...(until === null ? {} : { until }),
  });
  const document = topProductsDocument(topProducts(sales, limit), { from: since, until });
  if (isJson) await printer.data(`${JSON.stringify(document)}\n`);
  else if (isCsv)
    await (
      await openCsv(printer, ['product_id', 'total_quantity', 'total_revenue'])
    )(document.products);
  else if (document.products.length === 0) printer.info('nothing was sold yet');
  else {
    await printTable(printer, document.products, [
      { title: 'PRODUCT', cell: (row) => row.product_id },
      { title: 'SOLD', align: 'right', isWhole: true, cell: (row) => String(row.total_quantity) },
      { title: 'REVENUE', align: 'right', isWhole: true, cell: (row) => row.total_revenue },
    ]);
    printUnpriced(session, sales.unpriced);
  }
}
