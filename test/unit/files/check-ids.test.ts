import fc from 'fast-check';
import { expect, it } from 'vitest';
import { checkIds } from '../../../src/adapters/files/ids/check.ts';
import { openIdIndex } from '../../../src/adapters/files/ids/index.ts';
import { DECISIONS, indexedLogs } from '../../../src/adapters/files/ids/indexed-logs.ts';
import { renderFact } from '../../../src/adapters/files/logs/fact-lines.ts';
import type { LogName } from '../../../src/adapters/files/layout.ts';
import { LogView } from '../../../src/adapters/files/logs/log.ts';
import { realFileSystem } from '../../../src/adapters/files/fs.ts';
import { Failure } from '../../../src/domain/failure.ts';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';

type Log = 'orders' | 'rejections';

/** Logs with these ids, an index of them, and what a plain look says is wrong. */
function made(ids: Readonly<Record<Log, readonly string[]>>, unknown: ReadonlySet<number>, extra: number) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-ids-'));
  const index = openIdIndex(realFileSystem, folder, []);
  const views = new Map<LogName, LogView>();
  const fds: number[] = [];
  let count = 0;
  for (const log of ['orders', 'rejections'] as const) {
    const lines = ids[log].map((id) => `{"order_id":"${id}","user":"alice"}\n`);
    const name = path.join(folder, log);
    fs.writeFileSync(name, lines.join(''));
    const fd = fs.openSync(name, 'r');
    fds.push(fd);
    const sizeBytes = fs.fstatSync(fd).size;
    views.set(log, new LogView(realFileSystem, [{ fd, at: 0, position: 0, sizeBytes }]));
    let position = 0;
    for (const [at, id] of ids[log].entries()) {
      if (!unknown.has(count++)) index.add(id, { log: log === 'orders' ? 0 : 1, position });
      position += lines[at]?.length ?? 0;
    }
  }
  // Entries of lines that a crash took back, as they may stay in a run.
  for (let at = 0; at < extra; at++) index.add(`GONE-${at}`, { log: 0, position: at * 7 });
  const close = (): void => {
    index.close();
    for (const fd of fds) fs.closeSync(fd);
    fs.rmSync(folder, { recursive: true, force: true });
  };
  const view = (log: LogName): LogView => views.get(log) ?? new LogView(realFileSystem, []);
  const names = { fileOf: (log: LogName) => log, relative: (file: string) => file };
  return { logs: DECISIONS, view, index, close, ...names };
}

const idLists = fc.record({
  orders: fc.array(fc.integer({ min: 0, max: 40 }).map(String), { maxLength: 30 }),
  rejections: fc.array(fc.integer({ min: 0, max: 40 }).map(String), { maxLength: 30 }),
  unknown: fc.uniqueArray(fc.nat(60), { maxLength: 3 }),
  extra: fc.nat(3),
  isDamaged: fc.boolean(),
});

it('tells what a plain look does, whether the index is whole, has gaps, has too much, or is of no use', () => {
  fc.assert(
    fc.property(idLists, ({ orders, rejections, unknown, extra, isDamaged }) => {
      const all = [...orders, ...rejections];
      const gaps = new Set(unknown.filter((at) => at < all.length));
      const sources = made({ orders, rejections }, gaps, extra);
      try {
        const failure = new Failure('corrupt_state', 'damaged', { context: { file: 'ids.1' } });
        const found = [...checkIds(isDamaged ? { ...sources, index: failure } : sources)];
        const twice = new Set(
          found.flatMap(({ kind, orderId }) => (kind === 'decided_twice' ? [orderId] : [])),
        );
        expect(twice).toEqual(new Set(all.filter((id, at) => all.indexOf(id) !== at)));
        const missing = found.filter(({ kind }) => kind === 'index_missing').map(({ orderId }) => orderId);
        expect(missing.sort()).toEqual(isDamaged ? [] : all.filter((_, at) => gaps.has(at)).sort());
        expect(found.some(({ kind }) => kind === 'index_damaged')).toBe(isDamaged);
      } finally {
        sources.close();
      }
    }),
  );
});

it('names both places of an id that is decided twice', () => {
  const sources = made({ orders: ['A', 'B', 'C'], rejections: ['D', 'B'] }, new Set(), 0);
  onTestFinished(sources.close);
  expect([...checkIds(sources)]).toMatchObject([
    { kind: 'decided_twice', orderId: 'B', expected: 'orders:2', actual: 'rejections:2' },
  ]);
});

it('names a fact that the index does not know, though its key stands in other lines too', () => {
  const sources = made({ orders: ['A'], rejections: [] }, new Set(), 0);
  onTestFinished(sources.close);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-facts-'));
  const name = path.join(folder, 'steps.jsonl');
  const lines = [1, 2, 3].map((step) => renderFact({ id: 'A', step }, 'id', step));
  fs.writeFileSync(name, lines.join(''));
  const fd = fs.openSync(name, 'r');
  onTestFinished(() => {
    fs.closeSync(fd);
    fs.rmSync(folder, { recursive: true, force: true });
  });
  const steps = new LogView(realFileSystem, [{ fd, at: 0, position: 0, sizeBytes: fs.fstatSync(fd).size }]);
  const view = (log: LogName): LogView => (log === 'facts:steps' ? steps : sources.view(log));
  const logs = indexedLogs(new Map([['steps', { key: 'id', number: 2 }]]));
  sources.index.add('A', { log: 2, position: 0 });
  sources.index.add('A', { log: 2, position: 2 * (lines[0]?.length ?? 0) });
  expect([...checkIds({ ...sources, logs, view })]).toMatchObject([
    { kind: 'index_missing', orderId: null, where: 'facts:steps:2' },
  ]);
  sources.index.add('A', { log: 2, position: lines[0]?.length ?? 0 });
  expect([...checkIds({ ...sources, logs, view })]).toEqual([]);
});
