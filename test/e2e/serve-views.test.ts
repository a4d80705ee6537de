import { expect, test } from 'vitest';
import { fill, openShop, type Shop } from '../support/cli.ts';
import { serve, shopWith } from '../support/serve.ts';
import { createTopic, sendRaw } from '../support/topics.ts';
import { waitFor } from '../support/wait.ts';

/** A shop that announces changes of stock, in topics of its own. */
function announcing(items: Record<string, number>): Shop {
  const { topic } = openShop();
  const topics = [`inventory-events=${topic}-events`, `alerts=${topic}-alerts`];
  const shop = openShop({ ORDERCTL_EVENTS: 'true', ORDERCTL_TOPICS: topics.join(',') });
  fill(shop, { alice: 'paid' }, items);
  return shop;
}

interface RecordShown {
  readonly decoded: { readonly fields: readonly object[] };
}

interface Listed {
  readonly dead_letters: readonly { readonly id: string; readonly state: string }[];
  readonly next: string | null;
}

test('dead letters are listed in pages, taken apart, corrected and redriven once', async () => {
  const shop = shopWith({ pen: 5 });
  await createTopic(shop.topic, 2);
  await sendRaw(shop.topic, [
    ...['one', 'two', 'three'].map((value) => ({ key: 'k', value })),
    { key: 'g-1', value: JSON.stringify({ order_id: 'g-1', user: 'alice', item: 'pen', quantity: 1 }) },
  ]);
  await shop.ok('consume --until-end');
  const { call } = await serve(shop);
  const listed: string[] = [];
  let cursor: string | null = null;
  do {
    const where = `/dead-letters?processor=orders&limit=2${cursor === null ? '' : `&cursor=${cursor}`}`;
    const page = (await call('GET', where)).body as Listed;
    listed.push(...page.dead_letters.map(({ id }) => id));
    cursor = page.next;
  } while (cursor !== null);
  const known = (await shop.lines('dlq list --processor all')).filter(({ type }) => type === 'dead_letter');
  const own = known.map(({ id }) => String(id)).filter((id) => id.startsWith(`${shop.topic}.dlq:`));
  expect(listed.toSorted()).toEqual(own.toSorted());
  expect(listed).toHaveLength(3);

  const [id = ''] = listed;
  const shown = await call('GET', `/dead-letters/${encodeURIComponent(id)}`);
  expect(shown).toMatchObject({ status: 200, body: { id, state: 'open', decoded: { format: 'unknown' } } });
  const redrive = `/dead-letters/${encodeURIComponent(id)}/redrive`;
  const order = { order_id: 'm-1', user: 'alice', item: 'pen', quantity: 2 };
  // What cannot be read either is not sent.
  expect((await call('POST', redrive, { value: { user: 'alice' } })).status).toBe(422);
  // What is sent as it is fails again, and the answer says so; either spelling of an id is answered in one.
  const short = id.split(':').slice(1).join(':');
  expect(await call('POST', `/dead-letters/${short}/redrive?dry_run=true`)).toMatchObject({
    status: 200,
    body: { type: 'would_send', id, now: { readable: false } },
  });
  expect((await call('GET', `/dead-letters/${short}`)).body).toMatchObject({ id, state: 'open' });
  expect(await call('POST', redrive, { value: order })).toMatchObject({
    status: 200,
    body: { type: 'sent', id, topic: shop.topic, now: { readable: true, order_id: 'm-1' } },
  });
  expect(await call('POST', redrive, { value: order })).toMatchObject({
    status: 409,
    body: { code: 'already_decided', fix: 'see those that are open: GET /dead-letters?state=open' },
  });
  const open = (await call('GET', '/dead-letters?processor=orders&state=open')).body as Listed;
  expect(open.dead_letters).toHaveLength(2);
  await shop.ok('consume --until-end');
  expect(await call('GET', '/orders/m-1')).toMatchObject({ body: { status: 'COMPLETED' } });
  expect(shop.stock()).toEqual({ pen: 2 });
  const edits = shop.jsonl('.orderctl/edits.jsonl').filter(({ kind }) => kind === 'dead_letter');
  expect(edits).toMatchObject([{ action: 'redriven', via: 'http' }]);

  expect((await call('GET', '/dead-letters/999:0')).status).toBe(404);
  // Of a topic that is not there.
  expect((await call('GET', `/dead-letters/${shop.topic}.no.dlq:0:0`)).status).toBe(404);
  expect((await call('POST', '/dead-letters/0:99999/redrive')).status).toBe(404);
  expect(await call('GET', '/dead-letters/nonsense')).toMatchObject({
    status: 422,
    body: { detail: expect.stringContaining('id "nonsense" is not an id, as in the list: TOPIC') as string },
  });
  for (const [query, detail] of [
    ['limit=x', 'limit "x" is not a whole number from 1 to 500'],
    ['limit=501', 'limit "501" is not a whole number from 1 to 500'],
    ['state=none', 'state "none" is not one of open, redriven, discarded'],
    ['stat=open', 'the query has "stat", which is not known here'],
  ] as const) {
    expect(await call('GET', `/dead-letters?${query}`)).toMatchObject({ status: 422, body: { detail } });
  }
  expect(await call('POST', '/users', { user: 'carol' })).toMatchObject({
    status: 422,
    body: { detail: 'body has no "status", which is required' },
  });
  for (const [body, detail] of [
    [{}, 'body has nothing to change'],
    [{ by: 1, quantity: 4 }, '"quantity" and "by" cannot be combined'],
  ] as const) {
    expect(await call('PATCH', '/inventory/pen', body)).toMatchObject({ status: 422, body: { detail } });
  }
  expect((await call('GET', '/dead-letters?processor=nobody')).status).toBe(422);
  expect((await call('GET', '/dead-letters?cursor=bm8')).status).toBe(422);
});

test('alerts are listed with the latest first, by item and kind', async () => {
  const shop = announcing({ pen: 4, ink: 1 });
  const { call } = await serve(shop);
  // Before there is a topic of alerts.
  expect((await call('GET', '/alerts')).body).toEqual({ alerts: [], next: null });
  await shop.ok('produce --user alice --item pen --quantity 3 --order-id p-1');
  await shop.ok('produce --user alice --item ink --quantity 1 --order-id p-2');
  await shop.ok('run orders --until-end');
  const { alerts } = (await call('GET', '/alerts')).body as { alerts: { at: string; kind: string }[] };
  expect(alerts.map(({ kind }) => kind).toSorted()).toEqual(['low_stock', 'out_of_stock']);
  expect(alerts.map(({ at }) => at)).toEqual(
    alerts
      .map(({ at }) => at)
      .toSorted()
      .toReversed(),
  );
  expect((await call('GET', '/alerts?item=pen')).body).toMatchObject({
    alerts: [
      { kind: 'low_stock', on_hand: 1, message: 'Low stock alert for Product pen: only 1 item left!' },
    ],
  });
  expect((await call('GET', '/alerts?kind=oversold')).body).toEqual({ alerts: [], next: null });
  expect(await call('GET', '/alerts?kind=none')).toMatchObject({
    status: 422,
    body: { detail: 'kind "none" is not one of low_stock, out_of_stock, oversold, insufficient_stock' },
  });
});

test('the record behind a decision is shown raw and decoded, for as long as Kafka has it', async () => {
  const shop = shopWith({ pen: 5 });
  const { call } = await serve(shop);
  expect((await call('GET', '/orders/R-1/records')).status).toBe(404);
  await shop.ok('produce --order-id R-1 --user alice --item pen --quantity 2');
  await shop.ok('consume --until-end');
  const { partition, offset } = await shop.json('order show R-1');
  const [record] = ((await call('GET', '/orders/R-1/records')).body as { records: RecordShown[] }).records;
  expect(record).toMatchObject({
    topic: shop.topic,
    partition,
    offset,
    key: { hex: Buffer.from('R-1').toString('hex') },
    decoded: { format: 'avro', error: null },
    problem: null,
  });
  expect(record?.decoded.fields).toContainEqual(
    expect.objectContaining({ path: 'items[0].quantity', value: '2' }),
  );
});

test('processors are shown whether they run or not, and the audit is that of the command', async () => {
  const shop = shopWith({ pen: 5 });
  const { call } = await serve(shop);
  await shop.ok('produce --count 3 --user alice --item pen --quantity 1');
  const orders = async () => {
    const { body } = await call('GET', '/processors');
    const { processors } = body as { processors: { processor: string; state: string; lag: number }[] };
    return processors.find(({ processor }) => processor === 'orders');
  };
  expect(await orders()).toMatchObject({ state: 'stopped', lag: 3, read: null, effects: { owed: 0 } });
  const consumer = shop.host('consume');
  const running = await waitFor(
    'the consumer',
    orders,
    (seen) => seen?.state === 'consuming' && seen.lag === 0,
  );
  expect(running).toMatchObject({ group: shop.group, topics: [shop.topic] });
  expect(running).toHaveProperty('partitions.length', 6);
  const { body } = await call('GET', '/audit');
  const { checked_at, ...audit } = body as Record<string, unknown>;
  expect(typeof checked_at).toBe('string');
  expect(audit).toMatchObject({ ok: true, checked: { orders: 3 } });
  expect(Object.keys(audit)).toEqual(Object.keys(await shop.json('audit')));
  consumer.signal('SIGTERM');
  await consumer.exited;
});

test('sales are those of the commands, for any number of hours', async () => {
  const shop = shopWith({ pen: 9 });
  await createTopic(shop.topic, 1);
  const { call } = await serve(shop);
  const items = [{ item: 'pen', quantity: 2, unit_price: '1.50' }];
  await sendRaw(shop.topic, [
    { key: 'S-1', value: JSON.stringify({ order_id: 'S-1', user: 'alice', items }) },
  ]);
  await shop.ok('produce --user bob --item pen --quantity 1');
  await shop.ok('consume --until-end');
  const { as_of, ...hourly } = (await call('GET', '/analytics/hourly?hours=48')).body as Record<
    string,
    unknown
  >;
  expect(typeof as_of).toBe('string');
  expect(hourly).toMatchObject({
    total: {
      order_count: 2,
      completed: 1,
      rejected: 1,
      total_revenue: '3.00',
      reasons: { user_not_paid: 1 },
    },
  });
  expect(hourly).toEqual(await shop.json('analytics show --hours 48'));
  const products = [{ product_id: 'pen', total_quantity: 2, total_revenue: '3.00' }];
  expect((await call('GET', '/analytics/top-products')).body).toMatchObject({ from: null, products });
  expect((await call('GET', '/analytics/top-products?hours=1000&limit=1')).body).toMatchObject({ products });
  const { windows } = (await call('GET', '/analytics/hourly')).body as { windows: unknown[] };
  expect(windows).toHaveLength(24);
  const { created_at: placedAt } = (await call('GET', '/orders/S-1')).body as { created_at: string };
  const day = placedAt.slice(0, 10);
  const report = (await call('GET', `/reports/${day}?time_zone=UTC`)).body as { as_of: string };
  expect(report).toMatchObject({ report_date: day, total_sales: '3.00', top_sellers: products });
  // The day may end between the two.
  const ofCommand = await shop.json(`report show --date ${day} --time-zone UTC`);
  expect(report).toEqual({ ...ofCommand, as_of: report.as_of, complete: expect.any(Boolean) as boolean });
  expect((await call('GET', '/reports/today')).status).toBe(200);
  expect((await call('GET', '/reports/2020-02-29?time_zone=Asia/Tokyo')).body).toMatchObject({
    report_date: '2020-02-29',
    from: '2020-02-28T15:00:00.000Z',
    complete: true,
    order_count: 0,
  });
  for (const [where, body] of [
    [
      '/reports/2020-02-30',
      {
        detail: 'date: "2020-02-30" is not a date that exists',
        fix: 'for example date yesterday or 2026-11-21',
      },
    ],
    ['/reports/2020', { detail: 'date "2020" is not a date such as 2026-11-27, today or yesterday' }],
    ['/orders/x?wait=abc', { detail: 'wait "abc" is not a number of seconds such as 5s' }],
  ] as const) {
    expect(await call('GET', where), where).toMatchObject({ status: 422, body });
  }
  for (const where of ['today?time_zone=Mars/Dune', 'today?zone=UTC']) {
    expect((await call('GET', `/reports/${where}`)).status, where).toBe(422);
  }
  for (const where of ['hourly?hours=0', 'hourly?hours=x', 'top-products?limit=-1', 'hourly?days=1']) {
    expect((await call('GET', `/analytics/${where}`)).status, where).toBe(422);
  }
});
