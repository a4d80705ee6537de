// @ts-check
import fastify from 'fastify';
import { client, orderType, registerSchema } from '../lib/orders.mjs';

/*
 * The lower bound for HTTP in front of kafkajs: a bare handler that sends the same record, in batches, and then
 * answers.
 */
const [brokers = '', registry = '', topic = ''] = process.argv.slice(2);
const schemaId = await registerSchema(
  { name: '', brokers, registry, folder: '', stop: async () => undefined },
  topic,
);
const type = orderType();
const head = Buffer.alloc(5);
head.writeInt32BE(schemaId, 1);
const producer = client(brokers).producer({ idempotent: true, maxInFlightRequests: 1 });
await producer.connect();

/** @type {{message: {key: string, value: Buffer}, done: () => void, failed: (error: unknown) => void}[]} */
let waiting = [];
let isSending = false;

async function sendAll() {
  isSending = true;
  while (waiting.length > 0) {
    const batch = waiting;
    waiting = [];
    try {
      await producer.send({ topic, messages: batch.map(({ message }) => message), acks: -1 });
      for (const { done } of batch) done();
    } catch (error) {
      for (const { failed } of batch) failed(error);
    }
  }
  isSending = false;
}

const server = fastify();
server.post('/order', async (request, reply) => {
  const { order_id, user, item, quantity } =
    /** @type {{order_id: string, user: string, item: string, quantity: number}} */ (request.body);
  const order = { order_id, user, items: [{ item, quantity, unit_price: null }], created_at: Date.now() };
  const value = Buffer.concat([head, type.toBuffer(order)]);
  await /** @type {Promise<void>} */ (
    new Promise((done, failed) => {
      waiting.push({ message: { key: order_id, value }, done, failed });
      if (!isSending) void sendAll();
    })
  );
  return reply.code(202).send({ order_id, status: 'PENDING' });
});
const url = await server.listen({ host: '127.0.0.1', port: 0 });
process.stdout.write(`${JSON.stringify({ url })}\n`);
