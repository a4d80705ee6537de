import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openFolder } from '../../src/adapters/files/folder.ts';
import { processes } from '../../src/adapters/files/owner/processes.ts';
import { folderAdmin } from '../../src/adapters/files/whole/admin.ts';
import { archiveOrders } from '../../src/adapters/postgres/archive/move.ts';
import { openPostgres } from '../../src/adapters/postgres/open.ts';
import { postgresAdmin } from '../../src/adapters/postgres/whole/admin.ts';
import { hourlySales, salesIn, topProducts, wholeHours } from '../../src/app/analytics/sales.ts';
import { dailyReport } from '../../src/app/report/daily.ts';
import { copyStore } from '../../src/app/store/copy.ts';
import { systemClock } from '../../src/compose.ts';
import { hourlyDocument, topProductsDocument } from '../../src/documents/write/analytics.ts';
import { dailyDocument } from '../../src/documents/write/daily.ts';
import type { StoreAccess } from '../../src/ports/access.ts';
import { sumOf } from '../../src/views/sales-window.ts';
import { tries } from '../support/effort.ts';
import { ask, EMPTY_STORE, startTestPostgres, type TestPostgres } from '../support/postgres.ts';
import { daysOf, fillRandom, randomShop, type RandomShop } from '../support/random-shop.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const makeFolder = temporaryFolder();
let server: TestPostgres;
beforeAll(async () => {
  server = await startTestPostgres();
});
afterAll(() => server[Symbol.asyncDispose]());

/** What reports and analytics print of a store: the bytes. */
async function printed(access: StoreAccess, change: RandomShop['change']): Promise<readonly string[]> {
  await using reader = await access.read();
  const days = daysOf(change);
  const documents: object[] = [];
  for (const day of days) {
    // All of them are low, so that all stock is seen.
    const report = await dailyReport(reader, day, { now: Date.now(), lowStock: 100_000 });
    documents.push(dailyDocument(report, topProducts(report.total, 10)), [...report.items.keys()].sort());
    const sold = topProducts(await salesIn(reader, day), 10);
    documents.push(topProductsDocument(sold, day));
  }
  const [from, until] = [days[0]?.from ?? 0, days.at(-1)?.until ?? 0];
  const hours = await hourlySales(reader, wholeHours(from, until));
  documents.push(hourlyDocument(hours, sumOf(hours)));
  documents.push(topProductsDocument(topProducts(await salesIn(reader, null), 10), null));
  return documents.map((document) => JSON.stringify(document));
}

/** An edit of the first day by a clock that was set back, after an order of the second that is archived: it is of the second, too. */
const SET_BACK: RandomShop = {
  change: ['2026-03-28', '2026-03-29', '2026-03-30', 'Europe/Berlin', 23],
  turns: [0.1, 0.5, 0.2, 0.2, 0.2, 0.2],
  checkout: [],
  events: [],
  direct: [
    { at: 0.5, turn: 1, user: 'alice', lines: [{ product_id: 'book', quantity: 1, unit_price: null }] },
  ],
  edits: [{ turn: 2, item: 'book', quantity: 300 }],
};

test('reports and analytics of a folder and of its copy in a database are the same bytes, with archives too', async () => {
  const root = makeFolder();
  let shops = 0;
  await fc.assert(
    fc.asyncProperty(randomShop, fc.double({ min: 0, max: 1, noNaN: true }), async (made, part) => {
      const folder = path.join(root, String(shops));
      const archive = path.join(root, `archive-${shops++}`);
      await fillRandom(folder, made);
      const expected = await printed(openFolder({ folder, clock: systemClock }), made.change);
      const target = { url: server.url, password: null, clock: systemClock, processes };
      await ask(server.url, EMPTY_STORE);
      const signal = new AbortController().signal;
      await copyStore(folderAdmin({ folder, clock: systemClock }), postgresAdmin(target), {
        signal,
        onLines: () => undefined,
      });
      expect(await printed(openPostgres(target), made.change)).toEqual(expected);
      const days = daysOf(made.change);
      const beforeMs = (days[0]?.from ?? 0) + part * ((days.at(-1)?.until ?? 0) - (days[0]?.from ?? 0));
      await archiveOrders(target, { beforeMs, to: archive, signal, onFile: () => undefined }, 5);
      expect(await printed(openPostgres({ ...target, archive }), made.change)).toEqual(expected);
    }),
    { numRuns: tries(40, 4), examples: [[SET_BACK, 0.9]] },
  );
}, 300_000);
