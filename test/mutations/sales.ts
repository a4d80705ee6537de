import type { Mutation } from './list.ts';

const of = (
  name: string,
  from: string,
  to: string,
  file = 'src/views/sales-windows.ts',
  tests = ['test/unit/views/sales-windows.test.ts'],
): Mutation => ({ name, file, from, to, tests });

/** Sales by the hour. */
export const SALES: readonly Mutation[] = [
  of('an order counts in the hour in which it was decided', 'windowAt(placedAt)', 'windowAt(decidedAt)'),
  of('a cancelled order stays completed', 'window.completed -= 1;', ''),
  of('a refund is no loss of revenue', 'sellLines(window, sold, -1);', ''),
  of(
    'what a paid order would have cost is revenue though its stock was gone',
    'order.gone = fact.reason;',
    'order.sold = [{ product_id: "book", quantity: 1, unit_price: "1.00" }];',
  ),
  of(
    'large sums are rounded',
    'Number.isSafeInteger(product)',
    'Number.isInteger(product)',
    'src/views/sales-window.ts',
  ),
  of(
    'what suppliers deliver is a sale',
    "if (source === 'supplier_restocks') return;",
    '',
    'src/views/sales-windows.ts',
    ['test/cli/report.test.ts', 'test/app/report-agrees.test.ts'],
  ),
  of(
    'a day of the report has 24 hours',
    'until: dateOrTime(flag, next, timeZone)',
    'until: from + 86_400_000',
    'src/cli/parse.ts',
    ['test/cli/report.test.ts'],
  ),
  of(
    'a report is written again though nothing of it has changed',
    "equals(bytes) === true) return 'unchanged';",
    "equals(bytes) === null) return 'unchanged';",
    'src/adapters/objects/folder.ts',
    ['test/cli/report.test.ts'],
  ),
  of(
    'a report to where the system makes no folder never ends',
    'makeDirectory(folder);',
    "await (await import('node:fs/promises')).mkdir(folder, { recursive: true });",
    'src/adapters/objects/folder.ts',
    ['test/unit/outside/folder-objects.test.ts'],
  ),
  of(
    'a report that is made again is another row',
    'rows.filter((other) => other.report_date !== report_date)',
    '[...rows]',
    'src/app/report/keep.ts',
    ['test/cli/report.test.ts'],
  ),
  of(
    'of two changes of a list at the same moment one is lost',
    'const turn = await takeTurn(opened);',
    'const turn = { [Symbol.asyncDispose]: async () => undefined };\n      await Promise.resolve();',
    'src/adapters/files/csv/list-file.ts',
    ['test/contract/store-copy.test.ts'],
  ),
  of(
    'suppliers are left out of a backup',
    ' || LIST_FILES.has(name)',
    '',
    'src/adapters/files/journal/backup.ts',
    ['test/cli/supplier.test.ts'],
  ),
  of(
    'suppliers are left out of a copy of a store',
    'if (rest.lists[list].length > 0) await writeList',
    'if (rest.lists[list].length < 0) await writeList',
    'src/adapters/files/whole/target.ts',
    ['test/contract/store-copy.test.ts'],
  ),
  of(
    'a category cannot be unset',
    "(category !== '' || CATEGORY in extra)",
    "category !== ''",
    'src/domain/edit.ts',
    ['test/cli/tables.test.ts'],
  ),
  of(
    'hours without an order are left out',
    'placed.get(start) ?? emptyWindow(start, start + HOUR_MS)',
    'placed.get(start) ?? sales.all()[0] ?? emptyWindow(start, start + HOUR_MS)',
    'src/app/analytics/sales.ts',
    ['test/cli/analytics.test.ts'],
  ),
  of(
    'what sold most is by quantity',
    'return left.revenue > right.revenue ? -1 : 1;',
    'return left.quantity < right.quantity ? -1 : 1;',
    'src/app/analytics/sales.ts',
    ['test/cli/analytics.test.ts'],
  ),
];
