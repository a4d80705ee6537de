import { PassThrough, Writable } from 'node:stream';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { RecentBoard } from '../../../src/app/status/recent.ts';
import { StatusLine, statusText } from '../../../src/cli/output/consume/status-line.ts';
import { RunReport } from '../../../src/cli/output/run/report.ts';
import type { Session } from '../../../src/cli/session.ts';
import { Printer } from '../../../src/cli/output/printer.ts';
import { fitting, recentLines } from '../../../src/cli/output/status.ts';
import type { ConsumerStatus } from '../../../src/ports/owner.ts';
import { decideRecords, recordOf } from '../../support/decided.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { ModelFolder } from '../../support/model.ts';

const STATUS: ConsumerStatus = {
  ...{ state: 'consuming', waitingFor: null, topic: 'orders', group: 'orderctl', ordersPerSecond: 240.4 },
  ...{ lag: 1_234, lastCommitAt: 1, processors: [], brokenFiles: [] },
  counts: { read: 3_013, accepted: 3_000, rejected: 12, duplicates: 0, conflicts: 0, deadLettered: 1 },
};

it('the line of a consumer says how fast, how far behind, and what it waits for before all', () => {
  expect(statusText(STATUS)).toBe('240 orders/s, lag 1,234 · 3,000 accepted, 12 rejected, 1 dead letter');
  expect(statusText({ ...STATUS, state: 'waiting', waitingFor: 'broker', lag: null })).toMatch(
    /^waiting for the brokers · 240 orders\/s, lag unknown/,
  );
});

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it.each([
  [false, 'stopped by a signal after '],
  [true, 'stopped, as orderctl stop asked, after '],
])('the summary of a run says what stopped it: orderctl stop %s', (isAsked, said) => {
  const out = new PassThrough();
  const report = new RunReport({
    ...{ printer: new Printer(out, new PassThrough()), isJson: false },
  } as unknown as Session);
  if (isAsked) report.take({ kind: 'stop_asked' });
  report.take({ kind: 'ended', run: { stoppedBy: 'signal', seconds: 2, services: [] } });
  expect(String(out.read())).toContain(said);
});

it('it stays at the foot of the terminal: lines of decisions pass above it, with the time', async () => {
  const written: string[] = [];
  const screen = Object.assign(
    new Writable({
      decodeStrings: false,
      write: (text: string, _, done) => {
        written.push(text);
        done();
      },
    }),
    { isTTY: true, columns: 40 },
  );
  const printer = new Printer(new PassThrough(), screen);
  const line = new StatusLine(printer, async () => ({ pid: 1, startedAt: 1, status: STATUS }));
  await vi.advanceTimersByTimeAsync(1_000);
  printer.messages([{ level: 'warn', text: 'order ORD-1 rejected' }], '12:03:07');
  line.stop();
  const shown = statusText(STATUS).slice(0, 39);
  expect(written.join('')).toBe(
    `\r\u001B[K${shown}\r\u001B[K12:03:07 warning: order ORD-1 rejected\n${shown}\r\u001B[K`,
  );
  await vi.advanceTimersByTimeAsync(5_000);
  expect(written.at(-1)).toBe('\r\u001B[K');
});

it('a watched status has the reasons and items of the latest decisions, as they come, and what is low', async () => {
  const clock = new FakeClock();
  const folder = new ModelFolder(clock);
  await folder.edit({ kind: 'user.add', user: 'alice', status: 'paid' });
  await folder.edit({ kind: 'item.add', item: 'pen', quantity: 9, reorderLevel: 7 });
  await folder.edit({ kind: 'item.add', item: 'book', quantity: 5 });
  const store = await folder.own({ purpose: 'test', via: 'consume', onNotice: () => undefined });
  await decideRecords(store, [recordOf('orders', 0, 'A', 'alice', { pen: 2, book: 1 })]);
  const stop = new AbortController();
  const board = new RecentBoard(folder, clock, stop.signal);
  expect(recentLines(await board.look())).toEqual([
    ...['', 'of the latest 1 decision', 'rejected     none', 'most sold    pen 2, book 1', ''],
    'low stock    pen 7 of 7',
  ]);
  await decideRecords(store, [
    recordOf('orders', 1, 'B', 'bob', { pen: 1 }),
    recordOf('orders', 2, 'C', 'alice', { book: 3 }),
  ]);
  await vi.waitFor(async () => {
    expect(recentLines(await board.look())).toEqual(
      expect.arrayContaining([
        'of the latest 3 decisions',
        'rejected     unknown_user 1',
        'most sold    book 4, pen 2',
      ]),
    );
  });
  stop.abort();
});

it('what does not fit the terminal is left out at its end', () => {
  expect(fitting(['a', 'b', 'c'], 3)).toEqual(['a', 'b', 'c']);
  expect(fitting(['a', 'b', 'c'], 2)).toEqual(['a', '…']);
});
