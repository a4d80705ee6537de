import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { Command } from 'commander';
import { afterEach, describe, expect, it } from 'vitest';
import type { FolderStatus } from '../../../src/app/status/show.ts';
import { register } from '../../../src/cli/commands/status.ts';
import { Printer } from '../../../src/cli/output/printer.ts';
import { statusDocument, statusLine, statusLines, statusScreen } from '../../../src/cli/output/status.ts';
import { Session } from '../../../src/cli/session.ts';
import { Failure } from '../../../src/domain/failure.ts';
import type { RunningConsumer } from '../../../src/ports/owner.ts';

const NOW = Date.UTC(2026, 10, 25, 12);
const WAITING: RunningConsumer = {
  pid: 4711,
  startedAt: NOW - 75_000,
  status: {
    state: 'waiting',
    waitingFor: 'broker',
    topic: 'orders',
    group: 'g',
    ordersPerSecond: 12.5,
    lag: null,
    lastCommitAt: NOW - 3_000,
    counts: { read: 1_234, accepted: 1_000, rejected: 200, duplicates: 30, conflicts: 1, deadLettered: 3 },
    processors: [],
    brokenFiles: [],
  },
};
const of = (consumer: FolderStatus['consumer']): FolderStatus => ({ consumer, files: [], problem: null });

describe('a status', () => {
  it('is printed in words', () => {
    expect(statusLines(of(WAITING), '/data', NOW)).toEqual([
      'consumer     process 4711, for 75 s',
      'state        waiting for the brokers',
      'topic        orders, as group g',
      'rate         12.5 orders/s',
      'lag          not known yet',
      'read         1,234: 1,000 accepted, 200 rejected, 30 duplicates, 1 conflict, 3 dead letters',
      'last commit  3.0 s ago',
    ]);
    expect(statusLine(of(WAITING), '/data', NOW)).toBe(
      '2026-11-25T12:00:00.000Z waiting for the brokers, 12.5 orders/s, lag unknown, ' +
        'read 1,234: 1,000 accepted, 200 rejected, 30 duplicates, 1 conflict, 3 dead letters',
    );
    expect(statusLine(of('none'), '/data', NOW)).toBe('2026-11-25T12:00:00.000Z no consumer runs on /data');
  });

  it('of a shop begins with the shop, and has a line for each of its processors', () => {
    const none = { group: 'g', topics: [], partitions: [], deadLettered: 0, outcomes: {} };
    const shop: RunningConsumer = {
      ...WAITING,
      status: {
        ...WAITING.status,
        processors: [
          {
            ...none,
            name: 'orders',
            recordsPerSecond: 12.5,
            lag: null,
            lastCommitAt: NOW - 3_000,
            read: 1_234,
          },
          { ...none, name: 'payment', recordsPerSecond: 2, lag: 7, lastCommitAt: NOW - 1_000, read: 56 },
        ],
      },
    };
    expect(statusLines(of(shop), '/data', NOW)).toEqual([
      'shop         process 4711, for 75 s',
      'state        waiting for the brokers',
      'last commit  1.0 s ago',
      'orders       1,234 read, 12.5/s, lag not known yet: 1,000 accepted, 200 rejected, 30 duplicates, 1 conflict, 3 dead letters',
      'payment      56 read, 2/s, lag 7',
    ]);
  });

  it.each([79, 60, 40])('is whole within %i columns, broken between words', (width) => {
    const line = statusLines(of(WAITING), '/data', NOW).find((found) => found.startsWith('read')) ?? '';
    const lines = statusScreen([line], width);
    expect(Math.max(...lines.map((part) => part.length))).toBeLessThanOrEqual(width);
    expect(lines.map((part) => part.trim()).join(' ')).toBe(line);
    expect(lines.slice(1).every((part) => /^ +\S/.test(part))).toBe(true);
  });

  it('of 80 columns has the dead letters on a second line, under the others', () => {
    const lines = statusScreen(statusLines(of(WAITING), '/data', NOW), 79);
    expect(lines.slice(5, 7)).toEqual([
      'read         1,234: 1,000 accepted, 200 rejected, 30 duplicates, 1 conflict, 3',
      '             dead letters',
    ]);
    expect(statusScreen([`broken       /${'a'.repeat(100)}`], 79).map((line) => line.length)).toEqual([
      79, 48,
    ]);
  });

  it('is a document of the same keys whatever is known', () => {
    expect(statusDocument(of(WAITING))).toMatchObject({
      running: true,
      pid: 4711,
      started_at: '2026-11-25T11:58:45.000Z',
      waiting_for: 'broker',
      counts: { read: 1_234, dead_lettered: 3 },
    });
    expect(Object.keys(statusDocument(of('none')))).toEqual(Object.keys(statusDocument(of(WAITING))));
    expect(statusDocument(of('none'))).toMatchObject({ running: false, state: null, counts: null });
    expect(statusDocument(of('none'))).toMatchObject({ files: [], problem: null });
    expect(statusDocument(of('silent'))).toMatchObject({ running: true, state: 'silent', pid: null });
  });
});

it('a status names the files that do not count, and what is not known', () => {
  const status: FolderStatus = {
    consumer: 'unknown',
    files: [
      { file: '/data/users.csv', state: 'broken', line: 3, message: '/data/users.csv:3: no status' },
      { file: '/data/inventory.csv.conflict', state: 'kept_aside', line: null, message: 'it is strange' },
    ],
    problem: new Failure('read_failed', 'permission denied'),
  };
  expect(statusLines(status, '/data', NOW)).toEqual([
    'whether a consumer runs on /data is not known',
    'broken       /data/users.csv:3: no status',
    'kept aside   /data/inventory.csv.conflict: it is strange',
  ]);
  expect(statusLine(status, '/data', NOW)).toBe(
    '2026-11-25T12:00:00.000Z whether a consumer runs on /data is not known; ' +
      'broken: /data/users.csv; kept aside: /data/inventory.csv.conflict',
  );
  expect(statusDocument(status)).toMatchObject({
    running: null,
    pid: null,
    state: null,
    counts: null,
    problem: 'permission denied',
    files: [
      { file: '/data/users.csv', state: 'broken', line: 3 },
      { state: 'kept_aside', line: null },
    ],
  });
});

describe('--watch on a terminal', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-status-'));
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  it('is drawn again in place, within the width, until nobody reads it', async () => {
    const writes: string[] = [];
    const terminal = Object.assign(
      new Writable({
        write: (chunk: Buffer, _encoding, done) => {
          writes.push(chunk.toString());
          // As when a terminal is closed.
          done(writes.length === 2 ? Object.assign(new Error('closed'), { code: 'EPIPE' }) : null);
        },
      }),
      { isTTY: true, columns: 20 },
    );
    const session = new Session(
      new Printer(terminal, new PassThrough()),
      { ORDERCTL_STORAGE: folder },
      folder,
    );
    const program = new Command();
    register(program.command('status'), session);
    session.resolve(program);
    await program.parseAsync(['status', '--watch'], { from: 'user' });
    const [first = '', second] = writes;
    const lines = first.trimEnd().split('\n');
    expect(lines[0]).toBe('no consumer runs on');
    expect(
      lines
        .slice(1)
        .map((line) => line.trim())
        .join(''),
    ).toBe(folder);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(20);
    expect(second).toBe(`\u001B[${lines.length}A\u001B[J${first}`);
  });
});
