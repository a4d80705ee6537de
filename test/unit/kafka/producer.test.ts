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
    topic: { topic: 'dlq', errorCode: 0, partitions: [{ partition: 0, leader: 0, epoch: 0, replicas: [0] }] },
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

test('a topic made anew with fewer partitions ends a send, and the next one goes by what there is', async () => {
  const node = {
    initProducerId: () => Promise.resolve({ producerId: '1', producerEpoch: 0 }),
  } as unknown as BrokerNode;
  vi.spyOn(KafkaClient.prototype, 'anyNode').mockResolvedValue(node);
  vi.spyOn(KafkaClient.prototype, 'node').mockResolvedValue(node);
  let partitions = [0, 1];
  vi.spyOn(KafkaClient.prototype, 'topic').mockImplementation(() =>
    Promise.resolve({
      cluster: { clusterId: 'c', controllerId: 0, brokers: [], topics: [] },
      topic: {
        topic: 'dlq',
        errorCode: 0,
        partitions: partitions.map((partition) => ({ partition, leader: 0, epoch: 0, replicas: [0] })),
      },
    }),
  );
  vi.mocked(produceBatches).mockImplementation((_node, _topic, batches) =>
    Promise.resolve(
      batches.map(({ partition }) => {
        const isGone = partition >= partitions.length || partitions.length === 2;
        partitions = [0];
        return { partition, errorCode: isGone ? 3 : 0, baseOffset: isGone ? -1 : 7 };
      }),
    ),
  );
  // A second for each look at the clock: one that goes round without ever waiting would hold up the process for good.
  let looks = 0;
  const clock = vi.spyOn(Date, 'now').mockImplementation(() => {
    if (++looks > 10_000) throw new Error('it goes round without waiting');
    return 1_800_000_000_000 + looks * 1_000;
  });
  try {
    await using producer = await createProducer({
      brokers: ['127.0.0.1:9'],
      clientId: 'c',
      tls: null,
      sasl: null,
    });
    const records = [1, 2].map((value) => ({ key: null, value: Buffer.from([value]) }));
    await expect(producer.send('dlq', records)).rejects.toMatchObject({ code: 'broker_unreachable' });
    expect(await producer.send('dlq', records)).toEqual([
      { partition: 0, offset: 7 },
      { partition: 0, offset: 8 },
    ]);
  } finally {
    clock.mockRestore();
  }
});

test('a record that a topic does not take is found in its batch, and the others are sent', async () => {
  const node = {
    initProducerId: () => Promise.resolve({ producerId: '1', producerEpoch: 0 }),
  } as unknown as BrokerNode;
  vi.spyOn(KafkaClient.prototype, 'anyNode').mockResolvedValue(node);
  vi.spyOn(KafkaClient.prototype, 'node').mockResolvedValue(node);
  vi.spyOn(KafkaClient.prototype, 'topic').mockResolvedValue({
    cluster: { clusterId: 'c', controllerId: 0, brokers: [], topics: [] },
    topic: { topic: 'dlq', errorCode: 0, partitions: [{ partition: 0, leader: 0, epoch: 0, replicas: [0] }] },
  });
  let end = 0;
  // As a compacted topic: the whole batch is refused for one record without a key.
  vi.mocked(produceBatches).mockImplementation(async (_node, _topic, batches) =>
    Promise.resolve(
      batches.map(({ partition, bytes }) => {
        if (bytes.includes('bad')) return { partition, errorCode: 87, baseOffset: -1 };
        const baseOffset = end;
        end += bytes.readInt32BE(57);
        return { partition, errorCode: 0, baseOffset };
      }),
    ),
  );
  await using producer = await createProducer({
    brokers: ['127.0.0.1:9'],
    clientId: 'c',
    tls: null,
    sasl: null,
  });
  const records = ['a', 'b', 'bad', 'c'].map((text) => ({ key: null, value: Buffer.from(text) }));
  expect(await producer.send('dlq', records)).toEqual([
    { partition: 0, offset: 0 },
    { partition: 0, offset: 1 },
    'refused',
    { partition: 0, offset: 2 },
  ]);
});
