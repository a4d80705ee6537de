// @ts-check
import { client } from '../lib/orders.mjs';
import { peerArguments } from './read.mjs';

/* For the latency: a consumer that only prints which record it has received, at the moment it receives it. */
const { brokers, topic, group, count } = peerArguments();
const consumer = client(brokers).consumer({ groupId: group });
await consumer.connect();
await consumer.subscribe({ topic, fromBeginning: true });
process.stderr.write('consuming\n');
let handled = 0;
await consumer.run({
  autoCommit: false,
  eachBatch: async ({ batch }) => {
    process.stdout.write(batch.messages.map(({ key }) => `{"order_id":"${key}"}\n`).join(''));
    handled += batch.messages.length;
    if (handled >= count) void consumer.disconnect();
  },
});
