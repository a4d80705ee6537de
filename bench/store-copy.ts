/**
 * How long `store copy` takes: `npm run bench:copy -- --orders 1000000`. Creates a temporary folder with that many
 * orders, copies it to a PostgreSQL of its own and back to another folder, and audits each. Prints one JSON object.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { openFolder } from '../src/adapters/files/folder.ts';
import { processes } from '../src/adapters/files/owner/processes.ts';
import { folderAdmin } from '../src/adapters/files/whole/admin.ts';
import { openPostgres } from '../src/adapters/postgres/open.ts';
import { postgresAdmin } from '../src/adapters/postgres/whole/admin.ts';
import { audit } from '../src/app/audit/audit.ts';
import { copyStore } from '../src/app/store/copy.ts';
import { systemClock } from '../src/compose.ts';
import type { Decided } from '../src/domain/orders/decided.ts';
import type { StoreAccess } from '../src/ports/access.ts';
import type { StoreAdmin } from '../src/ports/whole/store-admin.ts';
import { startTestPostgres } from '../test/support/postgres.ts';

const BATCH = 1_000;
const ITEMS = 100;
const onNotice = (): void => undefined;

async function fill(access: StoreAccess, orders: number): Promise<void> {
  const how = { via: 'command', onNotice } as const;
  await access.edit({ kind: 'user.add', user: 'alice', status: 'paid' }, how);
  const items = Array.from({ length: ITEMS }, (_, n) => `item-${n}`);
  for (const item of items) await access.edit({ kind: 'item.add', item, quantity: orders }, how);
  await using store = await access.own({ purpose: 'bench', via: 'consume', onNotice });
  const source = { processor: 'orders', topic: 'orders', partition: 0 } as const;
  for (let at = 0; at < orders; at += BATCH) {
    const ids = Array.from({ length: Math.min(BATCH, orders - at) }, (_, n) => at + n);
    await store.transact(
      { items, users: ['alice'], orders: ids.map(String), positions: [source] },
      (state) => {
        const sold = new Map<string, number>();
        const decisions = ids.map((id): Decided => {
          const item = items[id % ITEMS] ?? '';
          const before = (state.quantity(item) ?? 0) - (sold.get(item) ?? 0);
          sold.set(item, (sold.get(item) ?? 0) + 1);
          return {
            order: {
              orderId: String(id),
              user: 'alice',
              items: [{ item, quantity: 1, unitPrice: '1.50' }],
              createdAt: id,
            },
            record: { topic: 'orders', partition: 0, offset: id },
            outcome: { kind: 'accepted', stock: [before] },
            decidedAt: id,
          };
        });
        const position = { ...source, next: at + ids.length, last: null, clusterId: 'c' };
        return { changes: { decisions, positions: [position] }, result: null };
      },
    );
  }
}

async function timed<T>(work: () => Promise<T>): Promise<[seconds: number, result: T]> {
  const from = performance.now();
  const result = await work();
  return [Math.round(performance.now() - from) / 1_000, result];
}

async function copied(from: StoreAdmin, to: StoreAdmin, access: StoreAccess) {
  const options = { onLines: onNotice, signal: new AbortController().signal };
  const [seconds, { lines }] = await timed(() => copyStore(from, to, options));
  const [auditSeconds, { total, checked }] = await timed(() =>
    audit(access, { topic: null, repair: false, onNotice }),
  );
  const rssMiB = Math.round(process.resourceUsage().maxRSS / 1024);
  return {
    seconds,
    linesPerSecond: Math.round(lines / seconds),
    auditSeconds,
    differences: total,
    orders: checked.orders,
    rssMiB,
  };
}

const { values } = parseArgs({ options: { orders: { type: 'string', default: '1000000' } } });
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-copy-'));
try {
  await using server = await startTestPostgres({ shared_buffers: '128MB', max_wal_size: '2GB' });
  const clock = systemClock;
  const [first, last] = [path.join(folder, 'first'), path.join(folder, 'last')];
  const database = { url: server.url, password: null, clock, processes };
  const [fillSeconds] = await timed(() => fill(openFolder({ folder: first, clock }), Number(values.orders)));
  const there = await copied(
    folderAdmin({ folder: first, clock }),
    postgresAdmin(database),
    openPostgres(database),
  );
  const back = await copied(
    postgresAdmin(database),
    folderAdmin({ folder: last, clock }),
    openFolder({ folder: last, clock }),
  );
  process.stdout.write(
    `${JSON.stringify({ orders: Number(values.orders), fillSeconds, toPostgres: there, toFolder: back })}\n`,
  );
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
