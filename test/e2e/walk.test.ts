import { expect, test } from 'vitest';
import { fill, type Json, messagesOf, openShop, type Shop } from '../support/cli.ts';
import { committedOffsets, endOffsets } from '../support/topics.ts';

/** The walk of the README: what a newcomer does first. */
const USERS = { alice: 'paid', bob: 'unpaid', carol: 'paid' } as const;
const START = { book: 10, pen: 50, notebook: 20 };

function stockedShop(): Shop {
  const shop = openShop();
  fill(shop, USERS, START);
  return shop;
}

function stockAfter(accepted: readonly Json[]): Record<string, number> {
  const stock: Record<string, number> = { ...START };
  for (const order of accepted) {
    for (const { item, quantity } of order.items) stock[item] = (stock[item] ?? 0) - quantity;
  }
  return stock;
}

function views(shop: Shop): Record<string, string> {
  return Object.fromEntries(
    ['orders.jsonl', 'rejections.jsonl', 'inventory.csv', 'users.csv'].map((file) => [file, shop.read(file)]),
  );
}

test('five orders in, what is acceptable in the files, and nothing read or sent again changes a byte', async () => {
  const shop = openShop();
  for (const [user, status] of Object.entries(USERS)) {
    await shop.ok(`user add --user ${user} --status ${status}`);
  }
  for (const [item, quantity] of Object.entries(START)) {
    await shop.ok(`inventory add --item ${item} --quantity ${quantity}`);
  }
  // A seed whose orders the stock can serve: five orders may ask for fifteen books, and there are ten.
  const produced = await shop.lines('produce --count 5 --delay 0.1 --seed 4');
  const sent = produced.filter((line) => line.type === 'sent');
  expect(sent).toHaveLength(5);
  expect(produced.at(-1)).toMatchObject({ type: 'summary', sent: 5, failed: 0, interrupted: false });
  const bobs = await shop.lines('produce --user bob --item pen --quantity 3');
  expect(bobs[0]).toMatchObject({ type: 'sent', user: 'bob', items: [{ item: 'pen', quantity: 3 }] });

  const all = [...sent, ...bobs.filter((line) => line.type === 'sent')];
  const acceptable = all.filter((order) => order.user !== 'bob');
  const consumed = await shop.ok('consume --until-end -o json');
  expect(JSON.parse(consumed.stdout)).toMatchObject({
    read: 6,
    accepted: acceptable.length,
    rejected: 6 - acceptable.length,
    rejected_by_reason: { user_not_paid: 6 - acceptable.length },
    duplicates: 0,
    conflicts: 0,
    dead_lettered: 0,
    skipped: 0,
    stopped_by: 'end',
  });
  for (const order of all.filter((order) => order.user === 'bob')) {
    expect(messagesOf(consumed)).toMatch(
      new RegExp(
        `warning: order ${order.order_id} rejected: user bob is unpaid \\(${shop.topic}/\\d+@\\d+\\)`,
      ),
    );
  }
  for (const order of acceptable) {
    expect(consumed.stderr).toContain(`accepted ${order.order_id} ${order.user}`);
  }
  const logged = shop.jsonl('orders.jsonl');
  expect(logged.map((order) => order.order_id).sort()).toEqual(
    acceptable.map((order) => order.order_id).sort(),
  );
  expect(shop.stock()).toEqual(stockAfter(acceptable));
  expect(shop.jsonl('rejections.jsonl').every((order) => order.user === 'bob')).toBe(true);
  for (const order of logged) {
    expect(Object.keys(order).sort()).toEqual(
      [
        'accepted_at',
        'created_at',
        'items',
        'offset',
        'order_id',
        'partition',
        'seq',
        'topic',
        'user',
      ].sort(),
    );
  }

  const before = views(shop);
  const [again] = await shop.lines('consume --reset-to earliest --until-end');
  expect(again).toMatchObject({ read: 6, accepted: 0, rejected: 0, duplicates: 6, conflicts: 0 });
  expect(views(shop)).toEqual(before);

  const replayed = (await shop.lines('replay')).at(-1);
  expect(replayed).toMatchObject({
    type: 'summary',
    selected: acceptable.length,
    sent: acceptable.length,
    already_decided: acceptable.length,
    undecided: 0,
  });
  const [afterReplay] = await shop.lines('consume --until-end');
  expect(afterReplay).toMatchObject({
    read: acceptable.length,
    accepted: 0,
    duplicates: acceptable.length,
    conflicts: 0,
  });
  expect(views(shop)).toEqual(before);
});

test('a reset to the end skips what is unread and says how much', async () => {
  const shop = stockedShop();
  await shop.ok('produce --count 4');
  await shop.ok('consume --until-end');
  const before = views(shop);
  await shop.ok('produce --count 3');
  const skipping = await shop.ok('consume --reset-to latest --until-end -o json');
  expect(JSON.parse(skipping.stdout)).toMatchObject({ read: 0, skipped: 3, stopped_by: 'end' });
  // A warning per partition: how the three spread over them is the keys' business.
  const skipped = [...messagesOf(skipping).matchAll(/^warning: .* (\d+) records? skipped$/gm)];
  expect(skipped.reduce((sum, [, count]) => sum + Number(count), 0)).toBe(3);
  expect(views(shop)).toEqual(before);

  const [later] = await shop.lines('consume --until-end');
  expect(later).toMatchObject({ read: 0 });
  await shop.ok('produce --user alice --item pen --quantity 1');
  const [next] = await shop.lines('consume --until-end');
  expect(next).toMatchObject({ read: 1, accepted: 1 });
});

test('the group shows every Kafka tool the right lag', async () => {
  const shop = stockedShop();
  await shop.ok('produce --count 20');
  await shop.ok('consume --until-end');
  const ends = await endOffsets(shop.topic);
  const committed = await committedOffsets(shop.group, shop.topic);
  expect(ends.size).toBe(6);
  for (const [partition, end] of ends) {
    if (end > 0) expect(committed.get(partition)?.offset).toBe(end);
  }
});

test('what is read is counted in one place only, and --each says each of them', async () => {
  const shop = stockedShop();
  await shop.ok('produce --count 30 --seed 7');
  const lines = await shop.lines('consume --until-end --each');
  const summary = lines.at(-1);
  const decisions = lines.filter((line) => line.type === 'decision');
  expect(decisions).toHaveLength(30);
  expect(summary).toMatchObject({ type: 'summary', read: 30 });
  expect(decisions.filter((line) => line.decision === 'accepted')).toHaveLength(summary?.accepted ?? -1);
  expect(decisions.filter((line) => line.decision === 'rejected')).toHaveLength(summary?.rejected ?? -1);
  expect(shop.jsonl('orders.jsonl')).toHaveLength(summary?.accepted ?? -1);
  expect(shop.jsonl('rejections.jsonl')).toHaveLength(summary?.rejected ?? -1);
  expect(shop.stock()).toEqual(stockAfter(shop.jsonl('orders.jsonl')));
});

test('--max-messages stops there, and the next one goes on from there', async () => {
  const shop = stockedShop();
  await shop.ok('produce --count 10');
  const [first] = await shop.lines('consume --max-messages 4');
  expect(first).toMatchObject({ read: 4, stopped_by: 'max_messages' });
  const [second] = await shop.lines('consume --until-end');
  expect(second).toMatchObject({ read: 6, duplicates: 0 });
});

test('a reset to an offset or a time reads again from there', async () => {
  const shop = stockedShop();
  await shop.ok('produce --user alice --item pen --quantity 1');
  await shop.ok('consume --until-end');
  const between = new Date().toISOString();
  await shop.ok('produce --count 5');
  await shop.ok('consume --until-end');
  const [sinceThen] = await shop.lines(`consume --reset-to ${between} --until-end`);
  expect(sinceThen).toMatchObject({ read: 5, duplicates: 5 });
  const [all] = await shop.lines('consume --reset --until-end');
  expect(all).toMatchObject({ read: 6, duplicates: 6 });
  const beyond = await shop.ok('consume --reset-to 1000 --until-end -o json');
  expect(JSON.parse(beyond.stdout)).toMatchObject({ read: 0 });
  expect(messagesOf(beyond)).toMatch(/warning/);
});

test('rejected orders are tried again under new ids only', async () => {
  const shop = stockedShop();
  const [sent] = await shop.lines('produce --user bob --item book --quantity 2');
  await shop.ok('consume --until-end');
  await shop.ok('user update --user bob --status paid');
  const refused = await shop.run(`replay --order ${sent?.order_id ?? ''}`);
  expect(refused.code).toBe(4);
  expect(refused.stderr).toContain(sent?.order_id ?? 'an id');
  const dry = (await shop.lines('replay --rejected --user bob --as-new --dry-run')).at(-1);
  expect(dry).toMatchObject({ dry_run: true, selected: 1, sent: 0 });
  await shop.ok('replay --rejected --user bob --as-new');
  const [summary] = await shop.lines('consume --until-end');
  expect(summary).toMatchObject({ read: 1, accepted: 1 });
  expect(shop.stock()).toEqual({ ...START, book: 8 });
  expect(shop.jsonl('orders.jsonl')[0]?.order_id).not.toBe(sent?.order_id);
});

test('an empty log has nothing to replay, and that is no error', async () => {
  const shop = stockedShop();
  const summary = (await shop.lines('replay')).at(-1);
  expect(summary).toMatchObject({ type: 'summary', selected: 0, sent: 0 });
});
