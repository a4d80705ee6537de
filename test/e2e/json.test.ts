import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { fill, openShop, penShop, type Shop } from '../support/cli.ts';
import { COMMANDS, JSON_COMMANDS, validatedCommands } from '../support/documents.ts';
import { createTopic, sendRaw } from '../support/topics.ts';

/** Their own tests are the ones that run them, and say so by `expectValidated`. */
const TRIED_ELSEWHERE: Readonly<Record<string, string>> = {
  'what-if': 'test/cli/past.test.ts',
  'report daily': 'test/cli/report.test.ts',
  'report show': 'test/cli/report.test.ts',
  ...Object.fromEntries(
    ['add', 'update', 'remove', 'show', 'import'].map((verb) => [
      `supplier ${verb}`,
      'test/cli/supplier.test.ts',
    ]),
  ),
  dev: 'test/cli/dev.test.ts',
  demo: 'test/cli/walks/demo-fails.test.ts',
  serve: 'test/e2e/walks/serve.test.ts',
  setup: 'test/e2e/setup.test.ts',
  'acl show': 'test/kafka/secure.test.ts',
  'acl apply': 'test/kafka/secure.test.ts',
  'store archive': 'test/e2e/walks/postgres.test.ts',
  up: 'test/cli/walks/up.test.ts',
  break: 'test/cli/walks/break.test.ts',
  'order cancel': 'test/e2e/walks/checkout.test.ts',
  'order dispatch': 'test/e2e/walks/checkout.test.ts',
};

/** Names of the commands in a help text. */
async function commandsIn(shop: Shop, ...words: readonly string[]): Promise<string[]> {
  const { stdout } = await shop.ok([...words, '--help']);
  const [, list = ''] = stdout.split('\nCommands:\n');
  return [
    ...list
      .split('\n\n', 1)
      .join('')
      .matchAll(/^ {2}([a-z-]+)/gm),
  ].flatMap(([, name]) => (name === undefined || name === 'help' ? [] : name));
}

test('what every command prints as JSON is declared in src/documents', async () => {
  const shop = openShop();
  const found = (
    await Promise.all(
      (await commandsIn(shop)).map(async (noun) => {
        const verbs = await commandsIn(shop, noun);
        return verbs.length === 0 ? [noun] : verbs.map((verb) => `${noun} ${verb}`);
      }),
    )
  ).flat();
  expect(found.sort()).toEqual([...COMMANDS].sort());
});

/* What every command prints as JSON is as it is declared. On a real Kafka each is the built binary. The last test counts them. */

test('JSON of users', async () => {
  const shop = openShop();
  expect(await shop.json('user add --user alice --status paid')).toEqual({
    user: 'alice',
    before: null,
    after: { status: 'paid' },
  });
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
  await shop.json(['user', 'edit', '--with', "sed -i 's/^bob,unpaid/bob,paid/;$aeve,paid'"]);
  expect(await shop.json('user show')).toEqual({
    users: [
      { user: 'alice', status: 'paid', extra: {} },
      { user: 'bob', status: 'paid', extra: {} },
      { user: 'eve', status: 'paid', extra: {} },
    ],
  });
  const list = path.join(shop.folder, 'list.csv');
  fs.writeFileSync(list, 'user,status\nzoe,paid\n');
  expect(await shop.json(['user', 'import', list])).toMatchObject({ added: 1 });
  await shop.json('user log');
  expect(await shop.json('user undo')).toMatchObject({ removed: 1 });
  const erased = { user: 'bob', lines: 2, orders: 0, left: [] };
  expect(await shop.json('user erase bob')).toMatchObject({ ...erased, executed: false, pseudonym: null });
  const { pseudonym } = await shop.json('user erase bob --execute');
  expect(pseudonym).toMatch(/^erased-[0-9a-f]{12}$/);
  expect(shop.read('users.csv').split('\n').sort()).toEqual(
    ['', 'alice,paid', `${String(pseudonym)},paid`, 'eve,paid', 'user,status'].sort(),
  );
  expect(await shop.run('user erase bob --execute -o json')).toMatchObject({ code: 3 });
});

test('JSON of items', async () => {
  const shop = openShop();
  shop.write('inventory.csv', 'item,quantity,name,price,reorder_level\nbook,10,Book,12.50,3\n');
  await shop.json('inventory add --item pen --quantity 50');
  expect(await shop.json('inventory update --item pen --quantity 100')).toEqual({
    item: 'pen',
    before: { quantity: 50 },
    after: { quantity: 100 },
  });
  await shop.json(['inventory', 'edit', '--with', "sed -i 's/^book,10/book,12/;$amug,3,Mug,2,'"]);
  await shop.json('inventory remove --item mug --yes');
  expect(await shop.json('inventory show')).toEqual({
    items: [
      { item: 'book', quantity: 12, name: 'Book', price: '12.50', reorder_level: 3, low: false, extra: {} },
      { item: 'pen', quantity: 100, name: null, price: null, reorder_level: null, low: false, extra: {} },
    ],
  });
  expect((await shop.json('inventory show --low')).items).toEqual([]);
  const list = path.join(shop.folder, 'list.csv');
  fs.writeFileSync(list, 'item,quantity\ncup,5\n');
  expect(await shop.json(['inventory', 'import', list])).toMatchObject({ added: 1 });
  await shop.json('inventory log');
  expect(await shop.json('inventory undo')).toMatchObject({ removed: 1 });
});

test('JSON of topics, schemas and settings', async () => {
  const shop = penShop();
  await shop.json('topics show');
  await shop.json('topics apply');
  await shop.json('topics apply --execute');
  await shop.json('schema show');
  await shop.json('schema check');
  await shop.json('schema register');
  await shop.json('doctor');
  await shop.json('config show');
});

test('JSON of orders and offsets', async () => {
  const shop = openShop();
  fill(shop, { alice: 'paid', bob: 'unpaid' }, { book: 10, pen: 50 });
  const [sent] = await shop.lines('produce --user alice --item book --quantity 2');
  await shop.ok('produce --user bob --item pen --quantity 1 --item ink --quantity 1');
  await sendRaw(shop.topic, [{ key: 'a', value: 'no order' }]);
  const consumed = await shop.lines('consume --until-end --each');
  expect(consumed.at(-1)).toMatchObject({ read: 3, accepted: 1, rejected: 1, dead_lettered: 1 });
  await shop.lines('replay --dry-run');
  await shop.lines('replay');
  await shop.lines('replay --rejected --as-new');
  await shop.lines('consume --until-end --each');
  const id = sent?.order_id ?? '';
  await shop.json(`order show ${id}`);
  expect(await shop.lines('order list')).toHaveLength(3);
  await shop.json(`order explain ${id} --scan`);
  await shop.json('offsets show');
  await shop.json('offsets reset --to earliest --execute');
  await shop.json('offsets undo');
  await shop.json('audit --with-topic');
});

test('JSON of dead letters', async () => {
  const shop = penShop();
  await createTopic(shop.topic, 1);
  await sendRaw(shop.topic, [{ value: 'no order' }, { value: 'nor this' }]);
  await shop.ok('consume --until-end');
  const [first, second] = await shop.lines('dlq list');
  await shop.json(`dlq show ${String(first?.id)}`);
  await shop.json(`dlq discard ${String(first?.id)} --why enough --yes`);
  await shop.lines('dlq redrive --all');
  await shop.lines('dlq redrive --all --execute');
  await shop.lines(`dlq redrive ${String(second?.id)}`);
});

test('JSON of a running consumer', async () => {
  const shop = penShop();
  const consumer = shop.start('consume -o json');
  await consumer.says(/consuming/);
  await shop.json('status');
  await shop.json('stop');
  expect((await consumer.exited).code).toBe(0);
  expect((await shop.run('status -o json')).code).toBe(3);
});

test('JSON of a run of processors', async () => {
  const shop = penShop();
  const lines = await shop.lines('run orders --until-end');
  expect(lines.at(-1)).toMatchObject({ type: 'summary', processors: [{ read: 0 }] });
});

test('JSON of sales', async () => {
  const shop = penShop();
  expect(await shop.json('analytics show')).toMatchObject({ total: { order_count: 0 } });
  expect(await shop.json('analytics top')).toMatchObject({ products: [] });
});

test('JSON of backup and restore', async () => {
  const shop = penShop();
  const backup = path.join(shop.folder, 'backup');
  await shop.json(['backup', backup]);
  await shop.json(['restore', backup, '--storage', path.join(shop.folder, 'restored')]);
});

test('JSON of the store', async () => {
  const shop = penShop();
  expect(await shop.json('store show')).toMatchObject({ kind: 'folder' });
  const storage = path.join(shop.folder, 'new');
  expect(await shop.json(['store', 'init', '--storage', storage])).toMatchObject({ before: null });
  const migrated = await shop.json(['store', 'migrate', '--storage', storage]);
  expect(migrated.before).toBe(migrated.version);
  const to = path.join(shop.folder, 'copied');
  expect(await shop.json(['store', 'copy', '--to', to])).toMatchObject({ continued: false });
});

test('JSON of every other command is compared where it is tried', () => {
  for (const [command, file] of Object.entries(TRIED_ELSEWHERE)) {
    const source = fs.readFileSync(path.resolve(import.meta.dirname, '../..', file), 'utf8');
    expect(source, file).toContain(`expectValidated('${command}')`);
  }
  expect([...validatedCommands(), ...Object.keys(TRIED_ELSEWHERE)].sort()).toEqual([...JSON_COMMANDS].sort());
});

test('tables of the cluster are printed as CSV', async () => {
  const shop = penShop();
  await createTopic(shop.topic, 1);
  await sendRaw(shop.topic, [{ key: 'g', value: 'garbage' }]);
  await shop.ok('consume --until-end');
  const csv = async (args: string): Promise<string> => (await shop.ok(`${args} -o csv`)).stdout;
  expect(await csv('offsets show')).toBe(
    `partition,start,committed,stored,end,lag,topic\n0,0,1,1,1,0,${shop.topic}\n`,
  );
  expect(await csv('offsets reset --to earliest')).toBe(
    `partition,before,after,start,end,read_again,skipped,topic\n0,1,0,0,1,1,0,${shop.topic}\n`,
  );
  expect(await csv('topics show')).toMatch(
    /^topic,what,declared,actual,state\n\S+,partitions,6,1,fewer than wanted\n/,
  );
  const letters = await shop.ok('dlq list -o csv');
  expect(letters.stdout).toMatch(/^id,state,error_code,.*\n\d+:0,open,unknown_format,decode,.*\n$/);
  expect(letters.stderr).toContain('1 dead letter in');
});

test('stdout is data alone, stderr messages; --quiet says only errors', async () => {
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
