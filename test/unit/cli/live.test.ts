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
  state: 'consuming',
  waitingFor: null,
  topic: 'orders',
  group: 'orderctl',
  ordersPerSecond: 240.4,
  lag: 1_234,
  lastCommitAt: 1,
  processors: [],
  brokenFiles: [],
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
  [true, 'stopped, as requested by orderctl stop, after '],
])('the summary of a run says what stopped it: orderctl stop %s', (isAsked, said) => {
  const out = new PassThrough();
  const report = new RunReport({
    printer: new Printer(out, new PassThrough()),
    isJson: false,
  } as unknown as Session);
  if (isAsked) report.take({ kind: 'stop_asked' });
  report.take({ kind: 'ended', run: { stoppedBy: 'signal', seconds: 2, services: [] } });
  expect(String(out.read())).toContain(said);
});

it('a run says what became of each message while they are few, else how many, and which effect came to nothing', async () => {
  const err = new PassThrough();
  const report = new RunReport({
    printer: new Printer(new PassThrough(), err),
    isJson: false,
  } as unknown as Session);
  let read = 0;
  const totals = () => ({ read, deadLettered: 0, commits: 1, outcomes: { handled: read } });
  const about = { processor: 'payment', topics: ['orders.validated'], group: 'g.payment' } as const;
  report.take({ kind: 'started', ...about, remaining: 0, totals });
  err.read();
  const handled = (orders: number): void => {
    read += orders;
    report.take({
      kind: 'handled',
      processor: 'payment',
      results: Array.from({ length: orders }, (_, at) => {
        return { kind: 'handled', about: `O-${at}`, detail: '2.50 to be charged' } as const;
      }),
    });
  };
  handled(2);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(String(err.read())).toBe('payment O-0: 2.50 to be charged\npayment O-1: 2.50 to be charged\n');
  handled(21);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(String(err.read())).toBe('payment: 21 handled\n');
  const charge = { processor: 'payment', effect: 'charge' } as const;
  const failing = { kind: 'effects_failing', ...charge, about: 'O-1', message: 'it answered 503' } as const;
  report.take({ ...failing, waiting: 3, forMs: 0, nextInMs: 1_000 });
  report.take({ ...failing, waiting: 3, forMs: 60_000, nextInMs: null });
  report.take({ kind: 'effects_resumed', ...charge });
  expect(String(err.read())).toBe(
    [
      'warning: payment: charge of O-1 failed: it answered 503; 3 wait, tried again in 1.0 s',
      'warning: payment: charge of O-1 has failed for 60 s: it answered 503; 3 wait, tried again now',
      'payment: the outside answers charge requests again\n',
    ].join('\n'),
  );
  const ranges = [
    { topic: 'orders', partition: 3, from: 17, to: 29 },
    { topic: 'orders', partition: 4, from: 9, to: 10 },
  ];
  report.take({ kind: 'held_back', processor: 'orders', ranges });
  expect(String(err.read()).replace(/\s+/g, ' ')).toBe(
    'warning: transactions of other producers are open; not read until they end: 12 offsets of orders/3 from 17 on, 1 offset of orders/4 from 9 on ',
  );
  const record = { topic: 'orders.validated', partition: 0, offset: 7 };
  const why = { code: 'gateway_unavailable', message: 'it answered 503', attempts: 3, record } as const;
  report.take({
    kind: 'effect_parked',
    processor: 'payment',
    about: 'O-1',
    why: { ...why, processor: 'payment' },
  });
  expect(String(err.read()).replace(/\s+/g, ' ')).toBe(
    'warning: payment of O-1 is parked after 3 tries, gateway_unavailable: it answered 503 (orderctl dlq list --processor payment) ',
  );
  report.close();
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
  printer.messages([{ level: 'warn', text: 'order ORD-1 rejected' }], { time: '12:03:07' });
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
  const board = new RecentBoard(folder, clock, stop.signal, 1);
  expect(recentLines(await board.look())).toEqual([
    '',
    'of the latest 1 decision',
    'rejected     none',
    'most sold    pen 2, book 1',
    '',
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
  // The tables are read again after a while; the shop's level counts for an item that has none.
  clock.time += 3_600_000;
  expect(recentLines(await board.look()).at(-1)).toBe('low stock    book 1 of 1, pen 7 of 7');
  stop.abort();
});

it('what does not fit the terminal is left out at its end', () => {
  expect(fitting(['a', 'b', 'c'], 3)).toEqual(['a', 'b', 'c']);
  expect(fitting(['a', 'b', 'c'], 2)).toEqual(['a', '…']);
});
