// @ts-check
import { client, encodeOrder, idOf, orderType, registerSchema } from '../lib/orders.mjs';

/* The lower bound for sending with kafkajs: records are encoded before the clock starts and sent in large batches. */
const [kind = '', brokers = '', registry = '', topic = '', count = '0'] = process.argv.slice(2);
const SEND_RECORDS = 2_000;
const size = { users: 1_000, items: 1_000 };
const schemaId = await registerSchema(
  { name: '', brokers, registry, folder: '', stop: async () => undefined },
  topic,
);
const type = orderType();
const headers = {
  'x-replay-id': '0199b1f0-7c1e-7b5e-9d51-2f6f3c1d8a44',
  'x-replay-count': '1',
  'x-replayed-at': new Date().toISOString(),
};
const messages = Array.from({ length: Number(count) }, (_, n) => ({
  key: idOf(n),
  value: encodeOrder(type, schemaId, n, size),
  ...(kind === 'replay' ? { headers } : {}),
}));
const producer = client(brokers).producer({ idempotent: true, maxInFlightRequests: 1 });
await producer.connect();
const startedAt = performance.now();
for (let at = 0; at < messages.length; at += SEND_RECORDS) {
  await producer.send({ topic, messages: messages.slice(at, at + SEND_RECORDS), acks: -1 });
}
const seconds = (performance.now() - startedAt) / 1_000;
process.stdout.write(`${JSON.stringify({ sent: messages.length, seconds })}\n`);
await producer.disconnect();
