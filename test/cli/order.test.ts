import { describe, expect, it } from 'vitest';
import { CHECKOUT, type CheckoutFact } from '../../src/domain/checkout/facts.ts';
import { newFact } from '../../src/domain/facts.ts';
import { failureOf, openShop, parseLines, type Shop } from '../support/cli.ts';
import { decideRecords, ownFolder, recordOf } from '../support/decided.ts';
import { waitFor } from '../support/wait.ts';

/** alice bought two pens, bob may not, and a third order wanted more than there is. */
async function decidedShop(): Promise<Shop> {
  const shop = openShop();
  shop.write('users.csv', 'user,status\nalice,paid\nbob,unpaid\n');
  shop.write('inventory.csv', 'item,quantity\npen,50\n');
  await using store = await ownFolder(shop.storage);
  await decideRecords(store, [
    recordOf('orders', 0, 'ORD-1', 'alice', { pen: 2 }),
    recordOf('orders', 1, 'ORD-2', 'bob', { pen: 1 }, 3),
    recordOf('orders', 2, 'ORD-3', 'alice', { pen: 49, book: 1 }),
  ]);
  return shop;
}

const iso = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string;
const SECOND = {
  order_id: 'ORD-2',
  status: 'rejected',
  reason: 'user_not_paid',
  detail: 'user bob is unpaid',
  user: 'bob',
  user_status: 'unpaid',
  items: [{ item: 'pen', quantity: 1, stock: 48 }],
  created_at: '2026-01-02T00:00:00.000Z',
  decided_at: iso,
  topic: 'orders',
  partition: 3,
  offset: 1,
};

describe('order show', () => {
  it('is one document, or the facts one a line', async () => {
    const shop = await decidedShop();
    expect(await shop.json('order show ORD-2')).toEqual(SECOND);
    expect(await shop.json('order show ORD-1')).toMatchObject({
      status: 'accepted',
      reason: null,
      detail: null,
      user_status: 'paid',
      items: [{ item: 'pen', quantity: 2, stock: 50 }],
    });
    const { stdout, stderr } = await shop.ok('order show ORD-3');
    expect(stdout).toContain('status    rejected: unknown_item, item book does not exist\n');
    expect(stdout).toContain('items     pen×49 (48 on hand)\n          book×1 (does not exist)\n');
    expect(stderr).toBe('');
  });

  it('of an unknown id names what to try', async () => {
    const shop = await decidedShop();
    const result = await shop.run('order show ORD-9 -o json');
    expect(result).toMatchObject({ code: 3, stdout: '' });
    expect(failureOf(result)).toMatchObject({ code: 'not_found', order_id: 'ORD-9' });
    expect(failureOf(result).fix).toContain('orderctl order explain ORD-9 --scan');
    expect(await openShop().run('order show ORD-9')).toMatchObject({ code: 3 });
  });

  it('waits for one that is decided in the meantime', async () => {
    const shop = await decidedShop();
    const shown = shop.run('order show ORD-4 --wait 60 -o json');
    await using store = await ownFolder(shop.storage);
    await decideRecords(store, [recordOf('orders', 3, 'ORD-4', 'alice', { pen: 1 })]);
    const { code, stdout } = await shown;
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { order_id: 'ORD-4', status: 'accepted' }]);
  });

  it('takes an id as a narrow table shortens it, where one recent order has it', async () => {
    const shop = openShop();
    shop.write('users.csv', 'user,status\nalice,paid\n');
    shop.write('inventory.csv', 'item,quantity\npen,1\n');
    await using store = await ownFolder(shop.storage);
    const ids = ['ORD-019ac3b2-de0001', 'ORD-019ac3b2-de0002', 'ORD-019ac3b2-ee0002'];
    await decideRecords(
      store,
      ids.map((id, at) => recordOf('orders', at, id, 'alice', { pen: 1 })),
    );
    expect(await shop.json('order show ORD-0…de0001')).toMatchObject({
      order_id: ids[0],
      status: 'accepted',
    });
    expect(await shop.json('order explain ORD-0…de0002')).toMatchObject({
      order_id: ids[1],
      status: 'rejected',
    });
    const several = await shop.run('order show ORD-0…0002 -o json');
    expect(several.code).toBe(2);
    expect(failureOf(several).message).toContain(`2 recent order ids match ORD-0…0002: `);
    const none = await shop.run('order show ORD-0…9 -o json');
    expect(none.code).toBe(3);
    expect(failureOf(none).fix).toContain('orderctl order list -o csv');
    expect((await shop.run('order show ORD…0…9')).code).toBe(2);
  });

  it('explain and show of an order of the checkout tell its steps, each with its record', async () => {
    const shop = await decidedShop();
    await using store = await ownFolder(shop.storage);
    const steps = ['charge_owed', 'cancelled'].map((step) => ({
      order_id: 'C-1',
      at: '2026-01-02T00:00:00.000Z',
      topic: 'orders.cancel',
      partition: 1,
      offset: 2,
      ...(step === 'cancelled' ? { step, detail: 'it was wished' } : { step, amount: '1.00' }),
    })) as CheckoutFact[];
    await store.transact({}, () => ({
      changes: { facts: steps.map((value) => ({ log: CHECKOUT, value }) as never) },
      result: null,
    }));
    expect(await shop.json('order show C-1')).toMatchObject({
      order_id: 'C-1',
      flow: 'checkout',
      status: 'CANCELLED',
      user: null,
      topic: null,
      timeline: [{ step: 'charge_owed' }, { step: 'cancelled', topic: 'orders.cancel', offset: 2 }],
    });
    const { stdout } = await shop.ok('order show C-1');
    expect(stdout).toContain('status    CANCELLED');
    expect(stdout).toContain(
      '\ntimeline\n  2026-01-02T00:00:00Z  charge owed  1.00 to be charged (orders.cancel/1@2)\n',
    );
    const explained = await shop.json('order explain C-1');
    expect(explained).toMatchObject({
      order_id: 'C-1',
      status: 'CANCELLED',
      scanned: false,
      // One record led to both steps.
      records: [{ topic: 'orders.cancel', partition: 1, offset: 2, steps: ['charge_owed', 'cancelled'] }],
    });
    expect(explained.explanation).toBe(
      'Order C-1 of the checkout is CANCELLED. At 2026-01-02T00:00:00Z its charge was scheduled: 1.00 to be charged ' +
        '(on orders.cancel/1@2). At 2026-01-02T00:00:00Z it was cancelled: it was wished (on orders.cancel/1@2).',
    );
    const text = await shop.ok('order explain C-1');
    expect(text.stdout).toMatch(/\nnext\n {2}- nothing: CANCELLED is final/);
  });

  it.each([
    [['order', 'show'], 'ID'],
    [['order', 'show', '=1+1'], 'ID'],
    [['order', 'show', 'A', 'B'], 'too many'],
    [['order', 'list', '--status', 'lost'], '--status'],
    [['order', 'list', '--status', 'paid', '--reason', 'unknown_item'], '--status'],
    [['order', 'list', '--limit', '0'], '--limit'],
    [['order', 'list', '--limit', 'x'], '--limit'],
    [['order', 'list', '--reason', 'lost'], 'insufficient_stock'],
    [['order', 'list', '--reason', 'user_not_paid', '--status', 'accepted'], '--status'],
    [['order', 'list', '--follow', '--reverse'], '--reverse'],
    [['order', 'list', '--follow', '--until', '2h'], '--until'],
    [['order', 'list', '--since', 'lately'], 'yesterday'],
    [['order', 'list', '--since', '2026-01-02T00:00:00Z', '--until', '2026-01-01T00:00:00Z'], '--until'],
  ])('refuses %j', async (args, named) => {
    const result = await openShop().run(args);
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toContain(named);
  });
});

describe('order list', () => {
  it('has the orders of the checkout in it, each with what became of it', async () => {
    const shop = await decidedShop();
    await using store = await ownFolder(shop.storage);
    const order = {
      order_id: 'C-1',
      at: '2026-01-02T00:00:00.000Z',
      created_at: '2026-01-01T00:00:00.000Z',
      topic: 'orders.created',
      partition: 1,
      offset: 2,
      customer_id: 'alice',
      total_amount: '5.00',
      items: [{ product_id: 'pen', quantity: 2, unit_price: '2.50' }],
      shipping_address: 'Street 1',
    };
    const step = { order_id: 'C-1', at: order.at, topic: 'orders.validated', partition: 0, offset: 0 };
    await store.transact({}, () => ({
      changes: {
        facts: [
          newFact(CHECKOUT, { ...order, step: 'validated' }),
          newFact(CHECKOUT, {
            ...step,
            step: 'declined',
            amount: '5.00',
            reference: null,
            reason: 'card_declined',
            attempts: 1,
          }),
        ],
      },
      result: null,
    }));
    const lines = await shop.lines('order list');
    expect(lines.map(({ order_id, status }) => `${order_id} ${String(status)}`)).toEqual([
      'C-1 FAILED',
      'ORD-1 accepted',
      'ORD-2 rejected',
      'ORD-3 rejected',
    ]);
    expect(lines[0]).toEqual(await shop.json('order show C-1'));
    expect(lines[0]).toMatchObject({ flow: 'checkout', payment: { status: 'declined', amount: '5.00' } });
    for (const flags of [
      '--status failed',
      '--status FAILED --reason card_declined',
      '--reverse --until 2026-01-03',
    ]) {
      expect(await shop.lines(`order list ${flags}`)).toEqual([lines[0]]);
    }
    expect((await shop.ok('order list --status failed')).stdout).toMatch(
      /\n2026-01-02T00:00:00.000Z +C-1 +FAILED +alice +pen×2 +card_declined +orders.created\/1@2\n$/,
    );
    const csv = (await shop.ok('order list -o csv')).stdout.split('\n');
    expect(csv[0]).toMatch(/,flow,total_amount,payment_status,refund_status,shipment_status$/);
    expect(csv[1]).toMatch(/^C-1,FAILED,card_declined,.*,checkout,5.00,declined,,$/);
    expect(csv[2]).toMatch(/^ORD-1,accepted,.*,direct,,,,$/);
    expect(await shop.json('order show C…1')).toEqual(lines[0]);
  });

  it('is one object a line, or a table', async () => {
    const shop = await decidedShop();
    const lines = await shop.lines('order list');
    expect(lines.map(({ order_id: id }) => id)).toEqual(['ORD-1', 'ORD-2', 'ORD-3']);
    expect(lines[1]).toEqual(SECOND);
    const { stdout } = await shop.ok('order list --status rejected --user bob');
    expect(stdout).toMatch(/^DECIDED +ORDER +STATUS +USER +ITEMS +REASON +RECORD\n/);
    expect(stdout).toMatch(/\S+Z +ORD-2 +rejected +bob +pen×1 +user_not_paid +orders\/3@1\n$/);
    expect((await shop.lines('order list --item book')).map(({ order_id: id }) => id)).toEqual(['ORD-3']);
    expect(await shop.lines('order list --limit 2 --status rejected --user bob')).toEqual([SECOND]);
    expect(await shop.lines('order list --reason user_not_paid')).toEqual([SECOND]);
    const ids = async (flags: string): Promise<string[]> =>
      (await shop.lines(`order list ${flags}`)).map(({ order_id: id }) => id);
    // One meaning of --limit, as in the logs of edits: the latest, in their order.
    expect(await ids('--limit 2')).toEqual(['ORD-2', 'ORD-3']);
    expect(await ids('--last 2')).toEqual(['ORD-2', 'ORD-3']);
    expect(await ids('--last 2 --limit 1')).toEqual(['ORD-3']);
    expect(await ids('--reverse --limit 2')).toEqual(['ORD-3', 'ORD-2']);
    const last = await shop.ok('order list --last 1');
    expect(last.stdout.trimEnd().split('\n')).toHaveLength(2);
    expect(last.stderr).toBe(
      '2 earlier orders are not listed: --limit N lists more; without --limit, -o csv and -o json list all\n',
    );
    const none = await shop.ok('order list --user carol');
    expect(none).toMatchObject({ stdout: '' });
    expect(none.stderr).toContain('no order');
  });
});

it('order list --follow goes on with what is decided, until it is stopped', async () => {
  const shop = await decidedShop();
  const texts = shop.start('order list --follow --last 1');
  const lines = shop.start('order list --follow --last 1 --status accepted -o json');
  await waitFor('the last order', texts.stdout, (text) => text.includes('ORD-3'));
  await waitFor('the last accepted one', lines.stdout, (text) => text.includes('ORD-1'));
  for (const id of ['ORD-4', 'ORD-5']) {
    await using store = await ownFolder(shop.storage);
    await decideRecords(store, [
      recordOf('orders', Number(id.slice(4)), id, id === 'ORD-4' ? 'bob' : 'alice', { pen: 1 }),
    ]);
  }
  await waitFor('the new ones', texts.stdout, (text) => text.includes('ORD-5'));
  await waitFor('the accepted one', lines.stdout, (text) => text.includes('ORD-5'));
  texts.signal('SIGINT');
  lines.signal('SIGTERM');
  expect((await texts.exited).stdout.replaceAll(/^\S+Z /gm, '').split('\n')).toEqual([
    'rejected ORD-3 alice pen×49, book×1: item book does not exist (orders/0@2)',
    'rejected ORD-4 bob pen×1: user bob is unpaid (orders/0@4)',
    'accepted ORD-5 alice pen×1 (orders/0@5)',
    '',
  ]);
  const { code, stdout } = await lines.exited;
  expect([code, ...parseLines(stdout).map(({ order_id: id }) => id)]).toEqual([0, 'ORD-1', 'ORD-5']);
});

describe('order explain', () => {
  it('says why, and what can be done now', async () => {
    const shop = await decidedShop();
    const explained = await shop.json('order explain ORD-2');
    expect(explained).toEqual({
      ...SECOND,
      explanation: expect.stringMatching(/^Rejected at .*orders\/3@1, because user bob is unpaid/) as string,
      records: [
        { topic: 'orders', partition: 3, offset: 1, timestamp: null, role: 'deciding', replay_id: null },
      ],
      scanned: false,
      retry_of: null,
      retries: [],
      next: expect.any(Array) as unknown,
    });
    const next = (await shop.json('order explain ORD-2')).next as string[];
    expect(next.join('\n')).toContain('orderctl user update --user bob --status paid');
    await shop.ok('user update --user bob --status paid');
    const { stdout } = await shop.ok('order explain ORD-2');
    expect(stdout).toContain(
      '"orderctl replay --rejected --order ORD-2 --as-new" tries it again under a new id: now it would be accepted',
    );
    expect((await shop.ok('order explain ORD-1')).stdout).toContain('pen went from 50 to 48');
    const short = (await shop.ok('order explain ORD-3')).stdout;
    expect(short).toContain('only items of inventory.csv can be ordered');
  });

  it('names the item that a rejection is for, and how much of it is missing', async () => {
    const shop = await decidedShop();
    await using store = await ownFolder(shop.storage);
    await decideRecords(store, [
      recordOf('orders', 3, 'ORD-4', 'alice', { pen: 1, lamp: 3 }),
      recordOf('orders', 4, 'ORD-5', 'alice', { pen: 1_000 }),
    ]);
    const steps = async (id: string): Promise<string> =>
      ((await shop.json(`order explain ${id}`)).next as string[]).join('\n');
    expect(await steps('ORD-4')).toContain('inventory add --item lamp --quantity 3"');
    const left = shop.stock().pen ?? 0;
    expect(await steps('ORD-5')).toContain(`inventory update --item pen --by +${1_000 - left}"`);
  });

  it('recommends no try of what no try can mend', async () => {
    const shop = await decidedShop();
    await using store = await ownFolder(shop.storage);
    await decideRecords(store, [
      recordOf('orders', 3, 'ORD-4', 'alice', { pen: 1.5 }),
      recordOf('orders', 4, 'ORD-5', 'bob', { pen: 1.5 }),
    ]);
    for (const id of ['ORD-4', 'ORD-5']) {
      const { next } = await shop.json(`order explain ${id}`);
      expect((next as string[])[0]).toContain('its sender must send another order');
      expect((next as string[]).join('\n')).not.toContain('orderctl');
    }
  });

  it('of an unknown id is not found', async () => {
    expect(await (await decidedShop()).run('order explain ORD-9')).toMatchObject({ code: 3, stdout: '' });
  });
});

it('order list --status pending says where orders are that nobody has read', async () => {
  const shop = openShop();
  await shop.ok('user add alice --status paid');
  const { stdout, stderr } = await shop.ok('order list --status pending -o json');
  expect(stdout).toBe('');
  expect(stderr).toContain('offsets show --processor validation');
});
