import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createMessageCodec } from '../../src/adapters/avro/messages/codec.ts';
import { createOrderCodec } from '../../src/adapters/avro/orders/codec.ts';
import { ORDER_CREATED, type OrderCreated } from '../../src/domain/messages/checkout/order-created.ts';
import type { Order } from '../../src/domain/orders/order.ts';
import { startDevRegistry, type DevRegistryOptions } from '../../src/dev-broker/registry/server.ts';
import { runPython, withoutPython } from '../support/peers.ts';
import { registerSchema } from '../support/topics.ts';

const CREDENTIALS = { username: 'shop', password: 'correct horse' };
const ORDER: Order = {
  orderId: 'ORD-1',
  user: 'alice',
  items: [{ item: 'book', quantity: 2, unitPrice: '12.50' }],
  createdAt: 1_795_266_927_378,
};

async function start(options: Partial<DevRegistryOptions> = {}): Promise<string> {
  const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-registry-'));
  const registry = await startDevRegistry({ port: 0, dataDir, ...options });
  onTestFinished(async () => {
    await registry.stop();
    fs.rmSync(dataDir, { recursive: true, force: true });
  });
  return registry.url;
}

/** orderctl's own way to a registry. */
function codecOf(url: string, register = true): ReturnType<typeof createOrderCodec> {
  return createOrderCodec({ url, credentials: CREDENTIALS, subject: 'orders-value', register });
}

async function read(url: string, value: Uint8Array): Promise<unknown> {
  // A codec of its own: it has to ask the registry for the schema.
  const record = { offset: 0, timestamp: 0, key: null, value, headers: [] };
  const [decoded] = await codecOf(url, false).decode([record]);
  return decoded?.kind === 'message' ? decoded.value : decoded;
}

test.each([
  ['at the root', ''],
  ['under a path that has to be found', '/apis/ccompat/v7'],
])('orderctl registers, writes and reads, with credentials, %s', async (_, at) => {
  const url = new URL(await start({ credentials: CREDENTIALS, path: at })).origin;
  const [value] = await codecOf(url).encode([ORDER]);
  expect(await read(url, value ?? Buffer.of())).toEqual(ORDER);
});

test('a schema that is not compatible is refused by orderctl in its own words', async () => {
  const url = await start();
  await registerSchema(
    'orders-value',
    { type: 'record', name: 'Order', fields: [{ name: 'user', type: 'int' }] },
    url,
  );
  await expect(codecOf(url).encode([ORDER])).rejects.toMatchObject({
    code: 'incompatible_schema',
    message: expect.stringContaining('TYPE_MISMATCH') as string,
  });
});

test.skipIf(withoutPython)("confluent-kafka's client and serializers", async () => {
  const url = await start({ credentials: CREDENTIALS });
  const [value = Buffer.of()] = await codecOf(url).encode([ORDER]);
  const answer = (await runPython(path.join(import.meta.dirname, 'peers/registry_client.py'), {
    empty: await start(),
    registry: url,
    credentials: `${CREDENTIALS.username}:${CREDENTIALS.password}`,
    topic: 'orders',
    value: Buffer.from(value).toString('base64'),
  })) as { order: { order_id: string; items: unknown }; value: string };
  expect(answer.order).toMatchObject({
    order_id: 'ORD-1',
    user: 'alice',
    items: [{ item: 'book', quantity: 2, unit_price: '12.50' }],
  });
  const theirs = Buffer.from(answer.value, 'base64');
  expect(theirs.readInt32BE(1)).toBe(Buffer.from(value).readInt32BE(1));
  expect(await read(url, theirs)).toEqual(ORDER);
});

const CREATED: OrderCreated = {
  order_id: 'ORD-1',
  customer_id: 'alice',
  items: [{ product_id: 'P-1', quantity: 2, unit_price: '-0.05' }],
  total_amount: '99999999.99',
  shipping_address: 'Main Street 1',
  created_at: 1_795_266_927_378,
};

test.skipIf(withoutPython).each([
  ['after orderctl', true],
  ['before orderctl, which may not register', false],
])("confluent-kafka's AvroSerializer for com.tutorial.orders works unchanged, %s", async (_, isFirst) => {
  const url = await start({ credentials: CREDENTIALS });
  const codec = createMessageCodec(ORDER_CREATED, {
    url,
    credentials: CREDENTIALS,
    subject: 'orders.created-value',
    register: isFirst,
  });
  const ours = isFirst ? (await codec.encode([CREATED]))[0] : undefined;
  const answer = (await runPython(path.join(import.meta.dirname, 'peers/order_created.py'), {
    registry: url,
    credentials: `${CREDENTIALS.username}:${CREDENTIALS.password}`,
    value: ours === undefined ? null : Buffer.from(ours).toString('base64'),
  })) as { order: object | null; value: string; versions: readonly number[] };
  expect(answer.versions).toEqual([1]);
  const value = Buffer.from(answer.value, 'base64');
  const [again = Buffer.of()] = await codec.encode([CREATED]);
  expect(Buffer.from(again).readInt32BE(1)).toBe(value.readInt32BE(1));
  expect(await codec.decode([{ offset: 0, timestamp: 0, key: null, value, headers: [] }])).toEqual([
    {
      kind: 'message',
      value: {
        order_id: 'ORD-2',
        customer_id: 'bob',
        items: [{ product_id: 'P-567', quantity: 3, unit_price: '12.50' }],
        total_amount: '37.50',
        shipping_address: 'Elm Street 2, Zürich',
        created_at: Date.UTC(2026, 0, 2, 3, 4, 5),
      },
    },
  ]);
  if (answer.order !== null) {
    expect(answer.order).toEqual({ ...CREATED, created_at: '2026-11-21 13:15:27.378000+00:00' });
  }
});
