import { expect, test } from 'vitest';
import { openShop, type Json } from '../support/cli.ts';

/** The keys of a document, at every depth: keys are part of the contract, never removed and none by accident. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (value === null || typeof value !== 'object') return null;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, shapeOf(inner)]),
  );
}

function expectShape(document: Json | undefined, keys: object): void {
  expect(shapeOf(document), JSON.stringify(document)).toEqual(shapeOf(keys));
}

const LINE = { item: 'x', quantity: 1 };

test('every document has the keys of the contract', async () => {
  const shop = openShop();
  const change = { user: 'x', before: null, after: { status: 'x' } };
  const added = await shop.json('user add --user alice --status paid');
  expect(added).toEqual({ user: 'alice', before: null, after: { status: 'paid' } });
  expectShape(added, change);
  expect(await shop.json('user update --user alice --status unpaid')).toEqual({
    user: 'alice',
    before: { status: 'paid' },
    after: { status: 'unpaid' },
  });
  expect(await shop.json('user remove --user alice --yes')).toEqual({
    user: 'alice',
    before: { status: 'unpaid' },
    after: null,
  });
  await shop.ok('user add --user alice --status paid');
  await shop.ok('user add --user bob --status unpaid');

  await shop.ok('inventory add --item book --quantity 10 --name Book --price 12.50 --reorder-level 3');
  await shop.ok('inventory add --item pen --quantity 50');
  expect(await shop.json('inventory update --item pen --quantity 100')).toMatchObject({
    item: 'pen',
    before: { quantity: 50 },
    after: { quantity: 100 },
  });
  expect(await shop.json('user show')).toEqual({
    users: [
      { user: 'alice', status: 'paid', extra: {} },
      { user: 'bob', status: 'unpaid', extra: {} },
    ],
  });
  expect(await shop.json('inventory show')).toEqual({
    items: [
      { item: 'book', quantity: 10, name: 'Book', price: '12.50', reorder_level: 3, low: false, extra: {} },
      { item: 'pen', quantity: 100, name: null, price: null, reorder_level: null, low: false, extra: {} },
    ],
  });
  expect((await shop.json('inventory show --low')).items).toEqual([]);

  const produced = await shop.lines('produce --user alice --item book --quantity 2');
  expectShape(produced[0], {
    type: 'sent',
    order_id: '',
    user: '',
    items: [LINE],
    topic: '',
    partition: 0,
    offset: 0,
  });
  expectShape(produced.at(-1), {
    ...{ type: 'summary', command: 'produce', topic: '', sent: 1 },
    ...{ failed: 0, interrupted: false, seconds: 0, unknown: 0 },
  });
  await shop.ok('produce --user bob --item pen --quantity 1');

  const consumed = await shop.lines('consume --until-end --each');
  expectShape(consumed[0], {
    ...{ type: 'decision', decision: '', order_id: '', user: '', items: [LINE] },
    ...{ reason: null, detail: null, topic: '', partition: 0, offset: 0 },
  });
  const counts = { read: 0, accepted: 0, rejected: 0, duplicates: 0, conflicts: 0, dead_lettered: 0 };
  expectShape(consumed.at(-1), {
    ...{ type: 'summary', command: 'consume', ...counts, rejected_by_reason: { user_not_paid: 1 } },
    ignored_prices: 0,
    ...{ skipped: 0, commits: 1, stopped_by: 'end', seconds: 0 },
    partitions: [{ partition: 0, first: 0, next: 5, end: 5, lag: 0 }],
  });

  const replayed = await shop.lines('replay');
  expectShape(replayed.at(-1), {
    ...{ type: 'summary', command: 'replay', topic: '', replay_id: '', dry_run: false, selected: 1, sent: 1 },
    ...{ failed: 0, already_decided: 1, undecided: 0, interrupted: false, resume_after: null, seconds: 0 },
    ...{ fulfilled: 0, unknown: 0 },
  });
});

test('stdout is data alone, stderr talk; --quiet says only errors', async () => {
  const shop = openShop();
  const text = await shop.ok('user add --user alice --status paid');
  expect(text.stdout).toContain('alice');
  await shop.ok('inventory add --item pen --quantity 5');
  const quiet = await shop.ok('produce --count 2 --quiet');
  expect(quiet.stderr).toBe('');
  const consumed = await shop.ok('consume --until-end --quiet -o json');
  expect(consumed.stderr).toBe('');
  expect(JSON.parse(consumed.stdout)).toMatchObject({ read: 2 });
});

test('a setting comes from flag, environment, file, default in this order, and config show tells which', async () => {
  const shop = openShop({ ORDERCTL_SASL_PASSWORD: 'correct-horse' });
  const { stdout } = await shop.ok('config show -o json --group by-flag');
  expect(stdout).not.toContain('correct-horse');
  expect(stdout).toContain('by-flag');
  expect(stdout).toContain(shop.topic);
});
