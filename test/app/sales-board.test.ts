import { expect, it } from 'vitest';
import { SalesBoardReader } from '../../src/app/analytics/board.ts';
import { BOARD_HOURS, hourlySales, lastHours, salesIn } from '../../src/app/analytics/sales.ts';
import type { BooksView } from '../../src/ports/health.ts';
import type { KeptView } from '../../src/ports/access.ts';
import { decideRecords, recordOf } from '../support/decided.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ModelFolder } from '../support/model.ts';

const { signal } = new AbortController();

it('the sales of the page read each line once, and are what adding up all of them gives', async () => {
  const folder = new ModelFolder(new FakeClock());
  await folder.edit({ kind: 'user.add', user: 'alice', status: 'paid' });
  await folder.edit({ kind: 'item.add', item: 'pen', quantity: 100 });
  let lines = 0;
  const counted = (books: BooksView): BooksView => ({
    ...books,
    historyFrom: async function* (from, facts) {
      for await (const chunk of books.historyFrom(from, facts)) {
        lines += chunk.length;
        yield chunk;
      }
    },
  });
  const view = {
    lookAtBooks: async <R>(use: (books: BooksView) => Promise<R>) => use(counted(await folder.inspect())),
  } as KeptView;
  const reader = new SalesBoardReader({ access: folder, view });
  let offset = 0;
  const order = async (...users: readonly string[]): Promise<void> => {
    await using store = await folder.own({ purpose: 'test', via: 'consume', onNotice: () => undefined });
    const records = users.map((user) => recordOf('orders', offset, `O-${offset++}`, user, { pen: 1 }));
    await decideRecords(
      store,
      records.map(({ order: one, record }) => ({ order: { ...one, createdAt: folder.clock.now() }, record })),
    );
  };
  const compare = async (): Promise<void> => {
    const now = folder.clock.now();
    const board = await reader.read(now, signal);
    await using store = await folder.read();
    expect(board.hours).toEqual(await hourlySales(store, lastHours(BOARD_HOURS, now)));
    expect({ ...board.all, end: 0 }).toEqual({ ...(await salesIn(store, null)), end: 0 });
  };
  await order('alice', 'bob');
  await compare();
  expect(lines).toBe(0);
  await folder.clock.sleep(3_600_000);
  await order('alice');
  await compare();
  await compare();
  expect(lines).toBe(1);
  // A read that was broken off is of no more use: the next one begins again.
  const gone = new AbortController();
  gone.abort(new Error('gone'));
  await order('alice');
  await expect(reader.read(folder.clock.now(), gone.signal)).rejects.toThrow('gone');
  await compare();
  // Hours that are too long ago are given up once a day.
  await folder.clock.sleep(25 * 3_600_000);
  await order('bob');
  await compare();
});
