// @ts-check
import { client, orderType } from '../lib/orders.mjs';

/**
 * Reads a topic from its beginning by kafkajs' eachBatch until `count` records were handled, and prints one JSON line
 * with the times of the first batch's arrival and of the last batch's end, in milliseconds since the epoch.
 *
 * @param {{brokers: string, topic: string, group: string, count: number}} options
 * @param {(messages: readonly import('kafkajs').KafkaMessage[]) => void | Promise<void>} onBatch
 */
export async function readAll({ brokers, topic, group, count }, onBatch) {
  const consumer = client(brokers).consumer({ groupId: group, maxBytesPerPartition: 2 * 1024 * 1024 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  let handled = 0;
  let first = 0;
  await new Promise((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    void consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        if (first === 0) first = Date.now();
        await onBatch(batch.messages);
        handled += batch.messages.length;
        if (handled >= count) resolve(undefined);
      },
    });
  });
  process.stdout.write(`${JSON.stringify({ first, last: Date.now(), count: handled })}\n`);
  await consumer.disconnect();
}

/** The decoder of the values that fillTopic writes, after their header of five bytes. */
export function orderDecoder() {
  const type = orderType();
  return (/** @type {Buffer} */ value) => type.fromBuffer(value.subarray(5));
}

/** The command-line arguments: the same for all peers. */
export function peerArguments() {
  const [brokers = '', topic = '', group = '', folder = '', count = '0', users = '0', items = '0'] =
    process.argv.slice(2);
  return { brokers, topic, group, folder, count: Number(count), users: Number(users), items: Number(items) };
}
