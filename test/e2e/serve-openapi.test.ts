import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { expect, test } from 'vitest';
import { fill, openShop } from '../support/cli.ts';
import { serve, shopWith, type OpenApi } from '../support/serve.ts';

async function documentOf(url: string): Promise<OpenApi> {
  return (await (await fetch(`${url}/openapi.json`)).json()) as OpenApi;
}

test('every answer that a route can give is in the OpenAPI document, and every one in it can be given', async () => {
  const shop = shopWith({ pen: 5 });
  const { call, url, reached } = await serve(shop);
  const api = await documentOf(url);
  const bodies: Record<string, object> = {
    'POST /order': { user: 'alice', item: 'pen', quantity: 1 },
    'POST /orders': { user: 'alice', item: 'pen', quantity: 1, shipping_address: 'Main Street 1' },
    'POST /inventory': { item: 'ink', quantity: 1 },
    'POST /users': { user: 'carol', status: 'paid' },
  };
  for (const [template, operations] of Object.entries(api.paths)) {
    if (template === '/events') continue;
    const where = template.replace('{item}', 'pen').replace('{user}', 'alice').replace('{id}', 'no-1');
    for (const [operation, { responses }] of Object.entries(operations)) {
      const method = operation.toUpperCase();
      const name = `${method} ${template}`;
      if (name === 'POST /experiments') continue;
      await call(method, where, bodies[name]);
      if (responses['413'] !== undefined) {
        expect((await call(method, where, '{"')).status, name).toBe(400);
        expect((await call(method, where, JSON.stringify('x'.repeat(2 ** 20)))).status, name).toBe(413);
        expect((await call(method, where, 'a=1', { 'content-type': 'text/plain' })).status, name).toBe(415);
        expect((await call(method, where, [])).status, name).toBe(422);
      }
      if (method === 'GET' && responses['422'] !== undefined && !template.includes('{'))
        expect((await call(method, `${where}?no=1`)).status, name).toBe(422);
    }
  }
  const wanted = (status: RegExp): string[] =>
    Object.entries(api.paths).flatMap(([template, operations]) =>
      Object.entries(operations).flatMap(([operation, { responses }]) =>
        Object.keys(responses)
          .filter((code) => status.test(code))
          .map((code) => `${operation.toUpperCase()} ${template} ${code}`),
      ),
    );
  // Those of other tests: conflicts, ends of time limits, and faults.
  const missing = wanted(/^(?:413|415)$/).filter((name) => !reached.has(name));
  expect(missing.filter((name) => !name.includes('/experiments'))).toEqual([]);
});

test('a path that has other methods says which', async () => {
  const { call } = await serve(shopWith({ pen: 5 }));
  const wrong = await call('DELETE', '/orders');
  expect(wrong).toMatchObject({ status: 405, body: { status: 405, code: 'usage' } });
  expect(wrong.headers.get('allow')?.split(', ').toSorted()).toEqual(['GET', 'HEAD', 'POST']);
  expect((await call('PUT', '/orders/1/cancel')).status).toBe(405);
  expect((await call('GET', '/orders/1/2/3')).status).toBe(404);
});

test('a token and a rate limit are in the document, and hold', async () => {
  const shop = openShop();
  fill(shop, { alice: 'paid' }, { pen: 5 });
  const file = path.join(shop.folder, 'token');
  fs.writeFileSync(file, `${'t'.repeat(32)}\n`);
  const { url } = await serve(shop, `--api-token-file ${file} --rate-limit 5`);
  const authorization = `Bearer ${'t'.repeat(32)}`;
  const ask = async () => (await fetch(`${url}/users`, { headers: { authorization } })).status;
  const api = (await (await fetch(`${url}/openapi.json`)).json()) as OpenApi & { components: object };
  expect(Object.keys(api.paths['/users']?.get?.responses ?? {})).toEqual(
    expect.arrayContaining(['200', '401', '429', '500']),
  );
  expect(api.components).toMatchObject({ securitySchemes: { token: { scheme: 'bearer' } } });
  const statuses: number[] = [];
  for (let n = 0; n < 6; n += 1) statuses.push(await ask());
  expect(statuses.at(-1)).toBe(429);
});

/** What a path is as it is written, which a URL would mend. */
function rawStatus(url: string, where: string): Promise<number> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    http
      .get({ hostname, port, path: where }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      })
      .on('error', reject);
  });
}

test('tricks with paths lead nowhere', async () => {
  const shop = shopWith({ pen: 5 });
  const { url } = await serve(shop);
  const tricks = [
    '/../users.csv',
    '/docs/static/../../../../package.json',
    '/docs/static/%2e%2e/%2e%2e/package.json',

    '/%2e%2e%2fusers.csv',
    '/docs/static/..%5c..%5cpackage.json',
    '//users.csv',
    '/docs/%00',
    '/orders/%ff',
    '/inventory/..%2f..%2fusers.csv',
    `/orders/${'x'.repeat(5_000)}`,
    '/users.csv',
    '/orders/%E0%A4%A',
  ];
  for (const where of tricks) expect([400, 403, 404, 414], where).toContain(await rawStatus(url, where));
  expect(await rawStatus(url, '/healthz')).toBe(200);
});
