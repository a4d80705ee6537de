import { openFolder } from '../../src/adapters/files/folder.ts';
import { processes } from '../../src/adapters/files/owner/processes.ts';
import { openPostgres } from '../../src/adapters/postgres/open.ts';
import type { Decided } from '../../src/domain/orders/decided.ts';

/* `report.ts FOLDER|URL ORDERS`: a store with that many accepted orders, all placed on 27 November 2026 UTC. */

const AT_ONCE = 5_000;
const ITEMS = 1_000;
const DAY = Date.parse('2026-11-27T00:00:00.000Z');
const DAY_MS = 86_400_000;

const [, , store = '', count = ''] = process.argv;
const orders = Number(count);
const items = Array.from({ length: ITEMS }, (_, n) => `item-${n}`);
const left = new Map(items.map((item) => [item, orders * 3]));
// The orders are decided after that day; a database uses its own clock, which is later too.
const clock = { now: () => DAY + DAY_MS, elapsed: () => performance.now(), sleep: async () => undefined };
const access = store.startsWith('postgres:')
  ? openPostgres({ url: store, password: null, clock, processes })
  : openFolder({ folder: store, clock });
await using owned = await access.own({ purpose: 'measure', via: 'consume', onNotice: () => undefined });
const edits = items.map((item) => {
  const after = {
    item,
    quantity: left.get(item) ?? 0,
    name: null,
    price: null,
    reorderLevel: null,
    extra: {},
  };
  return { kind: 'item', item, before: null, after } as const;
});
await owned.transact({ items }, () => ({ changes: { edits }, result: null }));

function decided(n: number): Decided {
  const item = items[n % ITEMS] ?? '';
  const stock = left.get(item) ?? 0;
  left.set(item, stock - 1);
  const createdAt = DAY + Math.floor((n / orders) * DAY_MS);
  return {
    order: {
      orderId: `ORD-${String(n).padStart(12, '0')}`,
      user: 'alice',
      items: [{ item, quantity: 1, unitPrice: '9.99' }],
      createdAt,
    },
    outcome: { kind: 'accepted', stock: [stock] },
    record: { topic: 'orders', partition: 0, offset: n },
    decidedAt: createdAt + 50,
  };
}

for (let from = 0; from < orders; from += AT_ONCE) {
  const decisions = Array.from({ length: Math.min(AT_ONCE, orders - from) }, (_, at) => decided(from + at));
  const ids = decisions.map(({ order }) => order.orderId);
  await owned.transact({ items, orders: ids }, () => ({ changes: { decisions }, result: null }));
}
