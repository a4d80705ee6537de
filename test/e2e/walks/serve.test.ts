import fs from 'node:fs';
import path from 'node:path';
import { Compile, type Validator } from 'typebox/compile';
import { expect, test } from 'vitest';
import { Decisions, Lag, NewAlerts, Statuses, StockChanges } from '../../../src/documents/http/live.ts';
import { Overview } from '../../../src/documents/http/overview.ts';
import { fill, openShop, type Shop } from '../../support/cli.ts';
import { expectValidated } from '../../support/documents.ts';
import { serve, shopWith } from '../../support/serve.ts';
import { createTopic, readTopic } from '../../support/topics.ts';
import { waitFor } from '../../support/wait.ts';

test('an order that was answered is stored, and known by its id from then on', async () => {
  const shop = shopWith({ pen: 5 });
  await createTopic(shop.topic, 2);
  const first = await serve(shop.built);
  const order = { order_id: 'H-1', user: 'alice', item: 'pen', quantity: 2 };
  const placed = await first.call('POST', '/order', order);
  expect(placed).toMatchObject({ status: 202, body: { order_id: 'H-1', status: 'PENDING' } });
  expect(placed.headers.get('location')).toBe('/orders/H-1');
  expect((await readTopic(shop.topic)).map(({ key }) => key?.toString())).toEqual(['H-1']);
  first.server.signal('SIGKILL');
  await first.server.exited;

  // Another server finds it where it is, and says why it cannot be cancelled, though nobody has read it.
  const { server, call } = await serve(shop.built);
  const cancelled = await call('POST', '/orders/H-1/cancel');
  expect(cancelled).toMatchObject({ status: 409, body: { code: 'already_decided', order_id: 'H-1' } });
  expect((cancelled.body as { detail: string }).detail).toContain('direct flow');
  expect(await call('GET', '/orders/H-1')).toMatchObject({
    status: 200,
    body: { order_id: 'H-1', status: 'PENDING', decision: null, user: 'alice' },
  });
  expect(await call('GET', '/orders/H-1?explain')).toMatchObject({
    status: 200,
    body: { status: null, records: [], next: [expect.stringContaining('now it would be accepted')] },
  });
  expect(await call('GET', '/orders/H-2')).toMatchObject({
    status: 404,
    body: { code: 'not_found', order_id: 'H-2' },
  });
  await shop.ok('consume --until-end');
  expect(await call('GET', '/orders/H-1')).toMatchObject({
    status: 200,
    body: { status: 'COMPLETED', decision: 'accepted', items: [{ item: 'pen', quantity: 2, stock: 5 }] },
  });
  expect((await call('GET', '/orders/H-1?explain')).body).toEqual(await shop.json('order explain H-1'));
  server.signal('SIGTERM');
  expect(await server.exited).toMatchObject({ code: 0 });
  expectValidated('serve');
});

test('an order that comes again counts once, and another content under its id is a conflict', async () => {
  const shop = shopWith({ pen: 50 });
  const { call } = await serve(shop);
  const order = { order_id: 'H-1', user: 'alice', item: 'pen', quantity: 2 };
  const same = await Promise.all(Array.from({ length: 5 }, () => call('POST', '/order', order)));
  expect(same.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202]);
  expect(same.filter(({ headers }) => headers.get('idempotent-replayed') === 'true')).toHaveLength(4);
  expect(await call('POST', '/order', { ...order, quantity: 3 })).toMatchObject({
    status: 409,
    body: { code: 'already_exists', order_id: 'H-1' },
  });
  const key = { 'idempotency-key': 'basket 7' };
  const bare = { user: 'alice', item: 'pen', quantity: 1 };
  const [one, two] = [await call('POST', '/order', bare, key), await call('POST', '/order', bare, key)];
  expect((two.body as { order_id: string }).order_id).toBe((one.body as { order_id: string }).order_id);
  expect((await call('POST', '/order', { ...bare, quantity: 9 }, key)).status).toBe(409);
  expect(await readTopic(shop.topic)).toHaveLength(2);
  await shop.ok('consume --until-end');
  // Decided by now: found in the store.
  const { call: later } = await serve(shop);
  const again = await later('POST', '/order', order);
  expect(again.headers.get('idempotent-replayed')).toBe('true');
  expect((await later('POST', '/order', { ...order, quantity: 3 })).status).toBe(409);
  expect(await readTopic(shop.topic)).toHaveLength(2);
});

test('?wait answers with the decision of a consumer beside it', async () => {
  const shop = shopWith({ pen: 5 });
  const { call } = await serve(shop);
  // Nobody decides yet: the time is over.
  expect(
    await call('POST', '/order?wait=1s', { order_id: 'H-0', user: 'alice', item: 'pen', quantity: 1 }),
  ).toMatchObject({ status: 202, body: { status: 'PENDING' } });
  expect(await call('GET', '/orders/H-0?wait=1s')).toMatchObject({
    status: 200,
    body: { status: 'PENDING' },
  });
  const consumer = shop.start('consume --each -o json');
  const answers = await Promise.all([
    call('POST', '/order?wait=20s', { order_id: 'H-1', user: 'alice', item: 'pen', quantity: 1 }),
    call('POST', '/order?wait=20s', { order_id: 'H-2', user: 'bob', item: 'pen', quantity: 1 }),
  ]);
  expect(answers).toMatchObject([
    { status: 200, body: { order_id: 'H-1', status: 'COMPLETED' } },
    { status: 200, body: { order_id: 'H-2', status: 'REJECTED', reason: 'user_not_paid' } },
  ]);
  // What the other process says it has decided is seen by who asks then.
  expect((await call('PUT', '/inventory/pen', { quantity: 1_000 })).status).toBe(200);
  for (let n = 0; n < 12; n++) {
    const order = { order_id: `S-${n}`, user: 'alice', item: 'pen', quantity: 1 };
    expect((await call('POST', '/order', order)).status).toBe(202);
    await waitFor(`S-${n}`, consumer.stdout, (text) => text.includes(`"S-${n}"`), { timeoutMs: 60_000 });
    expect((await call('GET', `/orders/S-${n}`)).body).toMatchObject({
      status: 'COMPLETED',
      items: [{ stock: 1_000 - n }],
    });
    expect((await call('GET', '/inventory/pen')).body).toMatchObject({ quantity: 999 - n });
  }
  consumer.signal('SIGTERM');
  await consumer.exited;
});

test('users and stock are edited by the rules of the commands, and logged as edited over HTTP', async () => {
  const shop = shopWith({ pen: 5 });
  const { call } = await serve(shop);
  expect(await call('PATCH', '/inventory/pen', { by: 20, why: 'delivery' })).toMatchObject({
    status: 200,
    body: { item: 'pen', before: { quantity: 5 }, after: { quantity: 25 } },
  });
  expect((await call('PATCH', '/inventory/pen', { by: -26 })).status).toBe(422);
  expect((await call('PUT', '/inventory/pen', { quantity: 7 })).status).toBe(200);
  expect((await call('PUT', '/inventory/ink', { quantity: 7 })).status).toBe(404);
  const added = await call('POST', '/inventory', { item: 'ink', quantity: 3, price: '12.5' });
  expect(added).toMatchObject({ status: 201, body: { after: { quantity: 3, price: '12.50' } } });
  expect((await call('POST', '/inventory', { item: 'ink', quantity: 3 })).status).toBe(409);
  expect(await call('GET', '/inventory/ink')).toMatchObject({ status: 200, body: { quantity: 3 } });
  expect((await call('DELETE', '/inventory/ink')).status).toBe(200);
  expect((await call('PUT', '/users/bob', { status: 'paid' })).status).toBe(200);
  expect(await call('GET', '/users/bob')).toMatchObject({ body: { user: 'bob', status: 'paid' } });
  expect(shop.stock()).toEqual({ pen: 7 });
  const { edits } = (await shop.json('inventory log')) as unknown as {
    edits: { via: string; why: string }[];
  };
  expect(edits.find(({ why }) => why === 'delivery')).toMatchObject({ via: 'http' });
});

test('what is wrong is a problem that names the field, and a server without brokers takes nothing', async () => {
  const shop = shopWith({ pen: 5 });
  const { call } = await serve(shop);
  const wrong: [unknown, number, string][] = [
    [{ user: 'alice', item: 'pen' }, 422, 'quantity'],
    [{ user: 'alice', item: 'pen', quantity: 'two' }, 422, 'quantity'],
    [{ user: 'alice', item: 'pen', quantity: 1.5 }, 422, 'quantity'],
    [{ user: 'al ice', item: 'pen', quantity: 1 }, 422, 'user'],
    [{ user: 'alice', item: 'pen', quantity: 1, unit_price: '9,99' }, 422, 'unit_price of pen is "9,99"'],
    ['{"user":', 400, 'JSON'],
    [[], 422, 'object'],
  ];
  for (const [body, status, names] of wrong) {
    const answer = await call('POST', '/order', body);
    expect(answer).toMatchObject({ status, body: { status } });
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect((answer.body as { detail: string }).detail).toContain(names);
  }
  const priced = { user: 'alice', item: 'pen', quantity: 1, shipping_address: 'Street 1' };
  expect(await call('POST', '/orders', { ...priced, total_amount: 'abc' })).toMatchObject({
    status: 422,
    body: { detail: 'total_amount is "abc", not an amount' },
  });
  expect(
    (await call('POST', '/order', { user: 'alice', item: 'x'.repeat(2 ** 20), quantity: 1 })).status,
  ).toBe(413);
  const large = { ...priced, shipping_address: 'x'.repeat(2 ** 19) };
  expect((await call('POST', '/orders', large)).status).toBe(413);
  expect((await call('GET', '/nowhere')).status).toBe(404);
  fs.renameSync(shop.storage, `${shop.storage}.moved`);
  for (const place of ['/readyz', '/inventory']) {
    expect(await call('GET', place)).toMatchObject({ status: 503, body: { code: 'store_unreachable' } });
  }
  const away = openShop({ ORDERCTL_BROKERS: '127.0.0.1:1' });
  fill(away, { alice: 'paid' }, { pen: 5 });
  const { call: alone } = await serve(away);
  const answer = await alone('POST', '/order', { user: 'alice', item: 'pen', quantity: 1 });
  expect(answer).toMatchObject({ status: 503, body: { code: 'broker_unreachable' } });
  expect(answer.headers.get('retry-after')).not.toBeNull();
  expect((await alone('GET', '/inventory')).status).toBe(200);
  expect((await alone('GET', '/readyz')).status).toBe(503);
});

test('other hosts need a token, and every request without it is refused', async () => {
  const shop = shopWith({ pen: 5 });
  expect(await shop.run('serve --host 0.0.0.0 --port 0')).toMatchObject({ code: 2 });
  const file = path.join(shop.folder, 'token');
  fs.writeFileSync(file, `${'t'.repeat(32)}\n`);
  const { call, url } = await serve(shop, `--api-token-file ${file}`);
  const described = (await (await fetch(`${url}/openapi.json`)).json()) as { paths: object };
  for (const [where, operations] of Object.entries(described.paths)) {
    for (const method of Object.keys(operations as object)) {
      const body = method === 'get' ? undefined : {};
      const { status } = await call(method.toUpperCase(), where.replaceAll(/\{\w+\}/g, 'no-1'), body);
      if (!where.endsWith('z')) expect(status, where).toBe(401);
    }
  }
  for (const open of ['/docs', '/docs/json']) expect((await fetch(`${url}${open}`)).status, open).toBe(200);
  for (const trick of ['/docs/..%2forders', '/docs%2f..%2forders', '/no-such'])
    expect((await fetch(`${url}${trick}`)).status, trick).not.toBe(200);
  expect((await call('GET', '/inventory', undefined, { authorization: 'Bearer x' })).status).toBe(401);
  expect((await call('GET', '/healthz')).status).toBe(200);
  const authorization = `Bearer ${'t'.repeat(32)}`;
  expect((await call('GET', '/inventory', undefined, { authorization })).status).toBe(200);
});

/** By event. */
const DATA: Readonly<Record<string, Validator>> = {
  decisions: Compile(Decisions),
  statuses: Compile(Statuses),
  stock: Compile(StockChanges),
  alerts: Compile(NewAlerts),
  lag: Compile(Lag),
  overview: Compile(Overview),
};

/** Reads server-sent events until one satisfies; the connection is closed then. */
async function events(
  url: string,
  enough: (seen: readonly { id: string | null; event: string; data: unknown }[]) => boolean,
  lastId: string | null = null,
): Promise<{ id: string | null; event: string; data: unknown }[]> {
  const stop = new AbortController();
  const response = await fetch(`${url}/events`, {
    signal: stop.signal,
    headers: lastId === null ? {} : { 'last-event-id': lastId },
  });
  const seen: { id: string | null; event: string; data: unknown }[] = [];
  let text = '';
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = new Map(
        block
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      );
      const event = fields.get('event');
      if (event === undefined) continue;
      const document = JSON.parse(fields.get('data') ?? 'null') as unknown;
      expect(DATA[event]?.Errors(document) ?? [], event).toEqual([]);
      seen.push({ id: fields.get('id') ?? null, event, data: document });
    }
    if (enough(seen)) break;
  }
  stop.abort();
  return seen;
}

test('decisions are sent as they are made, and a client that was away gets what it missed, or hears of the gap', async () => {
  const shop = shopWith({ pen: 50 });
  const { call, url } = await serve(shop);
  const decided = (seen: readonly { event: string; data: unknown }[]): string[] =>
    seen
      .filter(({ event }) => event === 'decisions')
      .flatMap(({ data }) =>
        (data as { orders: { order_id: string }[] }).orders.map(({ order_id }) => order_id),
      );
  const consumer = shop.host('consume');
  const reading = events(url, (seen) => decided(seen).includes('L-1'));
  await call('POST', '/order?wait=20s', { order_id: 'L-1', user: 'alice', item: 'pen', quantity: 1 });
  const first = await reading;
  expect(decided(first)).toEqual(['L-1']);
  await call('POST', '/order?wait=20s', { order_id: 'L-2', user: 'alice', item: 'pen', quantity: 1 });
  const lastId = first.find(({ event }) => event === 'decisions')?.id ?? null;
  const second = await events(url, (seen) => decided(seen).length > 0, lastId);
  expect(decided(second)).toEqual(['L-2']);
  const [gap] = await events(url, (seen) => seen.length > 0, 'other-5');
  expect(gap).toMatchObject({ event: 'gap' });

  // The books, by the sum that the page shows.
  await waitFor(
    'the books',
    () => call('GET', '/overview'),
    ({ body }) => (body as Seen).books?.accepted === 2,
  );
  expect(await call('GET', '/overview')).toMatchObject({
    status: 200,
    body: {
      books: { put_in: 50, sold: 2, moved: 0, on_hand: 48, difference: null },
      consumer: { pid: consumer.pid, state: 'consuming' },
    },
  });
  consumer.signal('SIGTERM');
  await consumer.exited;
  await waitFor(
    'its end',
    () => call('GET', '/overview'),
    ({ body }) => (body as Seen).consumer === null,
  );
  // An edit by hand that no commit has taken in is no difference.
  shop.write('inventory.csv', 'item,quantity\npen,40\n');
  const from = Date.now();
  await waitFor(
    'the books again',
    () => call('GET', '/overview'),
    ({ body }) => Date.parse((body as Seen).books?.checked_at ?? '') > from,
  );
  expect((await call('GET', '/overview')).body).toMatchObject({ books: { on_hand: 48, difference: null } });
  // Behind the back of the books: a line of the log is gone.
  const log = path.join(shop.storage, 'orders.jsonl');
  const lines = fs.readFileSync(log, 'utf8').split('\n');
  fs.writeFileSync(log, `${lines[0] ?? ''}\n${' '.repeat((lines[1] ?? '').length)}\n`);
  await waitFor(
    'the difference',
    () => call('GET', '/overview'),
    ({ body }) => {
      const { books, problem } = body as Seen;
      return books?.difference != null || problem !== null;
    },
  );
});

interface Seen {
  readonly books: {
    readonly accepted: number;
    readonly difference: unknown;
    readonly checked_at: string;
  } | null;
  readonly consumer: unknown;
  readonly problem: string | null;
}

test('orders are listed in pages that nothing shifts', async () => {
  const shop = shopWith({ pen: 500 });
  await shop.ok('produce --count 25 --user alice --item pen --quantity 1');
  await shop.ok('consume --until-end');
  const { call } = await serve(shop);
  const ids: string[] = [];
  let cursor: string | null = null;
  do {
    const where = `/orders?limit=10${cursor === null ? '' : `&cursor=${cursor}`}`;
    const { body } = await call('GET', where);
    const page = body as { orders: { order_id: string }[]; next: string | null };
    ids.push(...page.orders.map(({ order_id }) => order_id));
    cursor = page.next;
  } while (cursor !== null);
  expect(new Set(ids).size).toBe(25);
  expect(ids).toEqual(
    (await shop.lines('order list --limit 100')).map(({ order_id }) => order_id).toReversed(),
  );
  expect((await call('GET', '/orders?status=REJECTED')).body).toEqual({ orders: [], next: null });
  expect((await call('GET', '/orders?cursor=x')).status).toBe(422);
  expect((await call('GET', '/orders?limit=no')).status).toBe(422);
});

test('the page loads nothing from elsewhere', async () => {
  const { call } = await serve(shopWith({ pen: 5 }).built);
  const page = await call('GET', '/');
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  for (const [, file = ''] of String(page.body).matchAll(/(?:src|href)="(\/[^"]+)"/g)) {
    expect((await call('GET', file)).status, file).toBe(200);
  }
  expect(String(page.body)).not.toMatch(/https?:\/\/(?!www\.w3\.org)/);
});

function isOf(type: string, text: string) {
  return ({ event, data }: { event: string; data: unknown }): boolean =>
    event === type && JSON.stringify(data).includes(text);
}

/** The statuses of an order, step by step. */
function movesIn(seen: readonly { event: string; data: unknown }[], orderId: string): string[] {
  return seen
    .filter(({ event }) => event === 'statuses')
    .flatMap(({ data }) => (data as Statuses).orders)
    .filter(({ order_id }) => order_id === orderId)
    .map(({ status }) => status);
}

/** Topics of one test's own, for a run of the checkout. */
function checkoutShop(items: Record<string, number>): Shop {
  const { topic } = openShop();
  const names = [
    'orders.created',
    'orders.validated',
    'orders.rejected',
    'orders.cancel',
    'orders.cancelled',
    'payments.processed',
    'payments.failed',
    'payments.refunded',
    'inventory.reserved',
    'inventory.rejected',
    'shipments.created',
    'shipments.dispatched',
    'shipments.dispatch',
    'inventory-events',
    'alerts',
  ];
  const shop = openShop({
    ORDERCTL_TOPICS: names.flatMap((name) => [`${name}=${topic}-${name}`]).join(','),
  });
  fill(shop, { alice: 'paid', bob: 'unpaid' }, items);
  return shop;
}

test('an order of the checkout is placed, waited for and cancelled, and its id belongs to its flow', async () => {
  const shop = checkoutShop({ pen: 5, cup: 1 });
  await shop.ok('inventory update --item pen --price 2.50');
  const { call, url } = await serve(shop);
  const without = { order_id: 'C-1', user: 'alice', item: 'pen', quantity: 2 };
  const order = { ...without, shipping_address: 'Main Street 1' };
  const missing = await call('POST', '/orders', without);
  expect(missing).toMatchObject({ status: 422 });
  expect((missing.body as { detail: string }).detail).toContain('shipping_address');
  expect(await call('POST', '/orders', { ...order, order_id: 'C-0', item: 'cup' })).toMatchObject({
    status: 422,
    body: { detail: expect.stringContaining('field items[0].unit_price is missing') as string },
  });
  expect(await call('POST', '/orders', order)).toMatchObject({ status: 202, body: { status: 'PENDING' } });
  expect(await call('GET', '/orders/C-1')).toMatchObject({
    status: 200,
    body: { flow: 'checkout', status: 'PENDING', user: 'alice', items: [{ item: 'pen', unit_price: null }] },
  });
  expect(await call('GET', '/orders/C-1?explain')).toMatchObject({
    status: 200,
    body: { user: 'alice', explanation: 'Order C-1 of the checkout is PENDING.' },
  });
  expect((await call('POST', '/order', without)).status).toBe(409);
  // One that no schema can hold fails no other of its batch.
  const [fraction, whole] = await Promise.all([
    call('POST', '/orders', { ...order, order_id: 'C-2', quantity: 1.5 }),
    call('POST', '/orders', { ...order, order_id: 'C-3', user: 'bob' }),
  ]);
  expect([fraction.status, whole.status]).toEqual([422, 202]);
  expect((await call('POST', '/orders', { ...order, shipping_address: 'Side Street 2' })).status).toBe(409);
  // A wish may come before the order is read.
  const early = { ...order, order_id: 'C-4' };
  await call('POST', '/orders', early);
  expect((await call('POST', '/orders/C-4/cancel')).status).toBe(202);
  // A server that has not taken it finds it where it waits.
  const { call: other } = await serve(shop);
  expect(await other('GET', '/orders/C-1')).toMatchObject({
    status: 200,
    body: { status: 'PENDING', items: [{ item: 'pen', unit_price: '2.50' }] },
  });
  expect((await other('POST', '/orders', order)).status).toBe(202);

  const seen = events(
    url,
    (all) => all.some(isOf('statuses', 'CANCELLED')) && all.some(isOf('alerts', 'low')),
  );
  const run = shop.start('run validation payment inventory --dispatch manual --events --low-stock 3');
  expect(await call('GET', '/orders/C-1?wait=30s')).toMatchObject({
    status: 200,
    body: { status: 'COMPLETED', payment: { status: 'paid' }, total_amount: '5.00' },
  });
  expect(await call('GET', '/orders/C-3?wait=30s')).toMatchObject({ body: { status: 'FAILED' } });
  expect(await call('GET', '/orders/C-4?wait=30s')).toMatchObject({ body: { status: 'CANCELLED' } });
  const again = await call('POST', '/orders', order);
  expect(again.headers.get('idempotent-replayed')).toBe('true');
  expect((await call('GET', '/inventory/pen')).body).toMatchObject({ quantity: 3 });
  const listed = async (where: string): Promise<string[]> => {
    const { body } = await call('GET', where);
    return (body as { orders: { order_id: string }[] }).orders.map(({ order_id }) => order_id).toSorted();
  };
  expect(await listed('/orders')).toEqual(['C-1', 'C-3', 'C-4']);
  expect(await listed('/orders?status=FAILED')).toEqual(['C-3']);
  expect(await listed('/orders?user=alice')).toEqual(['C-1', 'C-4']);
  expect((await call('GET', '/orders?status=COMPLETED&limit=1')).body).toMatchObject({
    orders: [{ order_id: 'C-1', flow: 'checkout', status: 'COMPLETED' }],
  });
  expect(await call('POST', '/orders/C-1/cancel?wait=20s', { reason: 'changed my mind' })).toMatchObject({
    status: 200,
    body: { outcome: 'done', status: 'CANCELLED' },
  });
  expect((await call('POST', '/orders/C-3/cancel')).status).toBe(409);
  expect((await call('POST', '/orders/C-9/cancel')).status).toBe(404);
  expect((await call('GET', '/inventory/pen')).body).toMatchObject({ quantity: 5 });

  // All of it was seen as it happened.
  const live = await seen;
  expect(movesIn(live, 'C-1').slice(0, 4)).toEqual(['VALIDATED', 'VALIDATED', 'PAID', 'COMPLETED']);
  expect(movesIn(live, 'C-3').at(-1)).toBe('FAILED');
  const [taken] = live.filter(({ event }) => event === 'stock');
  expect(taken?.data).toMatchObject({
    items: [{ item: 'pen', quantity: 3, cause: 'reservation', order_id: 'C-1' }],
  });
  expect(live.find(({ event }) => event === 'alerts')?.data).toMatchObject({
    alerts: [{ kind: 'low_stock', item: 'pen', on_hand: 3 }],
  });
  expect(live.filter(({ event }) => event === 'lag').at(-1)?.data).toMatchObject({
    processors: expect.arrayContaining([expect.objectContaining({ processor: 'payment' })]) as unknown,
  });
  run.signal('SIGTERM');
  await run.exited;
});
