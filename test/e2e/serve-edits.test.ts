import { expect, test } from 'vitest';
import { serve, shopWith } from '../support/serve.ts';
import { waitFor } from '../support/wait.ts';

test('of two clients that edit the row they saw, one does, whichever server they ask', async () => {
  const shop = shopWith({ pen: 5 });
  const [one, two] = await Promise.all([serve(shop), serve(shop)]);
  const consumer = shop.host('consume');
  await waitFor(
    'the owner of the folder',
    () => one.call('GET', '/processors'),
    ({ body }) => (body as { consumer: unknown }).consumer !== null,
  );
  const seen = await one.call('GET', '/inventory/pen');
  const tag = seen.headers.get('etag') ?? '';
  expect(tag).toMatch(/^"[\w-]+"$/);
  expect((await two.call('GET', '/inventory/pen')).headers.get('etag')).toBe(tag);
  expect((await two.call('GET', '/inventory/pen', undefined, { 'if-none-match': tag })).status).toBe(304);
  const answers = await Promise.all(
    [one, two, one, two].map(({ call }, at) =>
      call('PUT', '/inventory/pen', { quantity: 10 + at }, { 'if-match': `"other", ${tag}` }),
    ),
  );
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 412, 412, 412]);
  const made = answers.find(({ status }) => status === 200);
  expect(answers.find(({ status }) => status === 412)?.body).toMatchObject({
    code: 'changed_since',
    status: 412,
  });
  // The answer has the tag for the next edit.
  const next = made?.headers.get('etag') ?? '';
  expect((await two.call('PATCH', '/inventory/pen', { by: 1 }, { 'if-match': next })).status).toBe(200);
  expect((await one.call('DELETE', '/inventory/pen', undefined, { 'if-match': next })).status).toBe(412);
  expect((await one.call('DELETE', '/inventory/pen', undefined, { 'if-match': '*' })).status).toBe(200);
  expect((await one.call('DELETE', '/inventory/pen', undefined, { 'if-match': '*' })).status).toBe(404);
  const bob = (await one.call('GET', '/users/bob')).headers.get('etag') ?? '';
  expect((await one.call('PUT', '/users/bob', { status: 'paid' }, { 'if-match': bob })).status).toBe(200);
  expect((await two.call('DELETE', '/users/bob', undefined, { 'if-match': bob })).status).toBe(412);
  consumer.signal('SIGTERM');
  await consumer.exited;
});

test('what changed the stock of an item is listed in pages, with what was on hand', async () => {
  const shop = shopWith({ pen: 5 });
  const { call } = await serve(shop);
  await call('PATCH', '/inventory/pen', { by: 20, why: 'delivery' });
  await call('PATCH', '/inventory/pen', { name: 'Pen' });
  await shop.ok('produce --user alice --item pen --quantity 2 --order-id c-1');
  await shop.ok('consume --until-end');
  const changes: object[] = [];
  let next: string | null = null;
  do {
    const where = `/inventory/pen/changes?limit=1${next === null ? '' : `&cursor=${next}`}`;
    const page = (await call('GET', where)).body as { changes: object[]; next: string | null };
    changes.push(...page.changes);
    ({ next } = page);
  } while (next !== null);
  expect(changes).toMatchObject([
    { cause: 'sale', before: 25, after: 23, order_id: 'c-1', by: null },
    { cause: 'edit', before: 5, after: 25, via: 'http', why: 'delivery', order_id: null },
    { cause: 'edit', before: null, after: 5, via: 'file' },
  ]);
  expect((await call('GET', '/inventory/none/changes')).status).toBe(404);
  expect((await call('GET', '/inventory/pen/changes?cursor=x')).status).toBe(422);
  await call('DELETE', '/inventory/pen');
  const removed = await call('GET', '/inventory/pen/changes?limit=1');
  expect(removed.body).toMatchObject({ changes: [{ cause: 'edit', before: 23, after: null }] });
});

test('an edit with an Idempotency-Key is made once, and answered alike by another server and after a restart', async () => {
  const shop = shopWith({ pen: 5 });
  const first = await serve(shop.built);
  const key = { 'idempotency-key': 'delivery 7' };
  const made = await first.call('PATCH', '/inventory/pen', { by: 20, why: 'delivery' }, key);
  expect(made).toMatchObject({ status: 200, body: { after: { quantity: 25 } } });
  expect(made.headers.get('idempotent-replayed')).toBeNull();
  first.server.signal('SIGKILL');
  await first.server.exited;
  const { call } = await serve(shop);
  expect((await call('PATCH', '/inventory/pen', { by: -1 })).status).toBe(200);
  const again = await call('PATCH', '/inventory/pen', { by: 20, why: 'delivery' }, key);
  expect(again).toMatchObject({ status: 200, body: made.body });
  expect(again.headers.get('idempotent-replayed')).toBe('true');
  expect(await call('PATCH', '/inventory/pen', { by: 21 }, key)).toMatchObject({
    status: 409,
    body: { code: 'already_exists' },
  });
  // What the request has changed itself is no reason to refuse it when it comes again.
  const tag = (await call('GET', '/inventory/pen')).headers.get('etag') ?? '';
  const both = { 'idempotency-key': 'as seen', 'if-match': tag };
  const twice = [
    await call('PATCH', '/inventory/pen', { by: 2 }, both),
    await call('PATCH', '/inventory/pen', { by: 2 }, both),
  ];
  expect(twice.map(({ status }) => status)).toEqual([200, 200]);
  expect(twice[1]?.headers.get('idempotent-replayed')).toBe('true');
  expect((await call('PATCH', '/inventory/pen', { by: 3 }, { 'if-match': tag })).status).toBe(412);
  expect((await call('PATCH', '/inventory/pen', { by: -2 })).status).toBe(200);
  const added = { 'idempotency-key': 'ink' };
  const ink = { item: 'ink', quantity: 3 };
  const posts = [await call('POST', '/inventory', ink, added), await call('POST', '/inventory', ink, added)];
  expect(posts.map(({ status }) => status)).toEqual([201, 201]);
  expect(posts[1]?.body).toEqual(posts[0]?.body);
  const gone = { 'idempotency-key': 'no ink' };
  for (let n = 0; n < 2; n += 1) {
    expect((await call('DELETE', '/inventory/ink', undefined, gone)).status).toBe(200);
  }
  expect(shop.stock()).toEqual({ pen: 24 });
  await shop.ok('audit');
});

test('a person is erased beside a server, which edits on with the new name; a consumer is in the way', async () => {
  const shop = shopWith({ pen: 5 });
  const { call } = await serve(shop);
  expect((await call('GET', '/users/alice')).status).toBe(200);
  const consumer = shop.host('consume');
  await waitFor(
    'the owner of the folder',
    () => call('GET', '/processors'),
    ({ body }) => (body as { consumer: unknown }).consumer !== null,
  );
  expect(await shop.run('user erase alice --execute')).toMatchObject({ code: 4 });
  consumer.signal('SIGINT');
  await consumer.exited;
  const { pseudonym } = await shop.json('user erase alice --execute');
  expect((await call('GET', '/users/alice')).status).toBe(404);
  expect((await call('PUT', `/users/${String(pseudonym)}`, { status: 'unpaid' })).status).toBe(200);
  await shop.ok('audit');
});
