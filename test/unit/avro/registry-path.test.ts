import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { Registry } from '../../../src/adapters/avro/registry/registry.ts';
import { FakeRegistry } from '../../support/fake-registry.ts';

/** A server that has the Confluent API under one path, and the addresses that it was asked for. */
async function serverWith(api: string): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = http.createServer(({ url = '' }, response) => {
    asked.push(url);
    const isThere = url.startsWith(`${api}/subjects`);
    response.writeHead(isThere ? 200 : 404, { 'content-type': 'application/json' });
    response.end(isThere ? '[]' : '{"message":"no such page"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

it('finds the API of Apicurio by its plain address, and remembers it', async () => {
  const { url, asked } = await serverWith('/apis/ccompat/v7');
  const registry = new Registry({ url, credentials: null });
  expect(await registry.versions('orders-value')).toEqual([]);
  await registry.versions('orders-value');
  expect(asked.filter((path) => path === '/subjects')).toHaveLength(1);
  expect(asked.at(-1)).toBe('/apis/ccompat/v7/subjects/orders-value/versions');
});

it('stays with a path that was given, right or wrong', async () => {
  const { url, asked } = await serverWith('/registry/apis/ccompat/v7');
  const registry = new Registry({ url: `${url}/registry`, credentials: null });
  await expect(registry.versions('orders-value')).rejects.toMatchObject({ code: 'registry_refused' });
  expect(asked.filter((path) => path.includes('ccompat'))).toEqual([]);
});

it('a schema that another process registers at the same moment is registered', async () => {
  const fake = await FakeRegistry.start();
  onTestFinished(() => fake.stop());
  const registry = new Registry({ url: fake.url, credentials: null });
  const schema = '{"type":"string"}';
  // As Apicurio answers the second of the two.
  fake.incompatible = "An artifact with ID 'orders-value' in group 'null' already exists.";
  await expect(registry.register('orders-value', schema)).rejects.toMatchObject({
    code: 'incompatible_schema',
  });
  const id = fake.add('orders-value', schema);
  expect(await registry.register('orders-value', schema)).toBe(id);
});
