import { expect, test, vi } from 'vitest';

import { KafkaClient } from '../../../src/adapters/kafka/client.ts';
import type { BrokerNode } from '../../../src/adapters/kafka/kafkajs-internals.ts';
import { createProducer } from '../../../src/adapters/kafka/producer.ts';
import { readInt64 } from '../../../src/adapters/kafka/record-batch.ts';
import { produceBatches } from '../../../src/adapters/kafka/requests.ts';

vi.mock('../../../src/adapters/kafka/requests.ts');

test('records of a send after one that was given up never pass for those', async () => {
  let producerId = 0;
  const node = {
    initProducerId: () => Promise.resolve({ producerId: String(++producerId), producerEpoch: 0 }),
  } as unknown as BrokerNode;
  vi.spyOn(KafkaClient.prototype, 'anyNode').mockResolvedValue(node);
  vi.spyOn(KafkaClient.prototype, 'node').mockResolvedValue(node);
  vi.spyOn(KafkaClient.prototype, 'topic').mockResolvedValue({
    cluster: { clusterId: 'c', controllerId: 0, brokers: [], topics: [] },
    topic: { topic: 'dlq', errorCode: 0, partitions: [{ partition: 0, leader: 0, replicas: [0] }] },
  });
  // As a broker that goes by what is in the batch: producer id at byte 43, base sequence at byte 53.
  const stored: string[] = [];
  let answers = 0;
  vi.mocked(produceBatches).mockImplementation(async (_node, _topic, batches) => {
    for (const { bytes } of batches) stored.push(`${readInt64(bytes, 43)}:${bytes.readInt32BE(53)}`);
    if (++answers === 1) throw new Error('the answer was lost');
    return Promise.resolve(batches.map(({ partition }) => ({ partition, errorCode: 0, baseOffset: 7 })));
  });

  await using producer = await createProducer({
    brokers: ['127.0.0.1:9'],
    clientId: 'c',
    tls: null,
    sasl: null,
  });
  const record = { key: null, value: Buffer.from('x') };
  await expect(producer.send('dlq', [record])).rejects.toThrow();
  expect(await producer.send('dlq', [record])).toEqual([{ partition: 0, offset: 7 }]);
  expect(await producer.send('dlq', [record])).toEqual([{ partition: 0, offset: 7 }]);
  expect(stored).toEqual(['1:0', '2:0', '2:1']);
});
