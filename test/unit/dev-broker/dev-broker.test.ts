import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import kafkajs, { type Kafka } from 'kafkajs';
import { afterEach, describe, expect, it } from 'vitest';

import { FolderInUseError } from '../../../src/dev-broker/folder-lock.ts';
import { CannotListenError } from '../../../src/dev-broker/server.ts';
import { ERROR } from '../../../src/dev-broker/wire/errors.ts';
import { embeddedBroker } from '../../support/embedded-broker.ts';
import { body, fetched } from '../../support/raw-client.ts';
import { recordBatch } from '../../support/record-batches.ts';
import { killableBrokers } from '../../support/killable-broker.ts';

const { start, connect, folder } = embeddedBroker();
const startKillable = killableBrokers();

const hasIpv6 = Object.values(os.networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
);

const open: { disconnect(): Promise<void> }[] = [];
afterEach(async () => {
  for (const client of open.splice(0)) await client.disconnect();
});

function client(address: string): Kafka {
  return new kafkajs.Kafka({
    brokers: [address],
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { initialRetryTime: 20, maxRetryTime: 100, retries: 50 },
  });
}

async function adminOf(address: string) {
  const admin = client(address).admin();
  await admin.connect();
  open.push(admin);
  return admin;
}

async function producerOf(address: string) {
  const producer = client(address).producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  open.push(producer);
  return producer;
}

/** All values of partition 0 up to its end. */
async function valuesIn(address: string, topic: string): Promise<string[]> {
  const [range] = await (await adminOf(address)).fetchTopicOffsets(topic);
  const end = Number(range?.high ?? 0);
  if (end === 0) return [];
  const consumer = client(address).consumer({ groupId: `read-${topic}`, maxWaitTimeInMs: 100 });
  open.push(consumer);
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const values: string[] = [];
  await new Promise<void>((resolve, reject) => {
    consumer.on('consumer.crash', ({ payload }) => reject(payload.error));
    void consumer.run({
      eachMessage: async ({ message }) => {
        values.push(message.value?.toString() ?? '');
        if (Number(message.offset) + 1 >= end) resolve();
      },
    });
  });
  return values;
}

describe('a restart', () => {
  it('finds topics, their ids and configurations, records and the cluster’s id again', async () => {
    const dataDir = folder();
    const first = await start({ dataDir });
    const admin = await adminOf(first.address);
    await admin.createTopics({
      waitForLeaders: true,
      topics: [
        { topic: 'kept', numPartitions: 2, configEntries: [{ name: 'retention.ms', value: '-1' }] },
        { topic: 'gone' },
      ],
    });
    await (await producerOf(first.address)).send({ topic: 'kept', messages: [{ value: 'a', partition: 0 }] });
    await admin.deleteTopics({ topics: ['gone'] });
    await first.stop();
    const second = await start({ dataDir });
    expect(second.clusterId).toBe(first.clusterId);
    const again = await adminOf(second.address);
    expect(await again.listTopics()).toEqual(['kept']);
    const { topics } = await again.fetchTopicMetadata({ topics: ['kept'] });
    expect(topics[0]?.partitions).toHaveLength(2);
    const { resources } = await again.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: 'kept', configNames: ['retention.ms'] }],
    });
    expect(resources[0]?.configEntries[0]?.configValue).toBe('-1');
    expect(await valuesIn(second.address, 'kept')).toEqual(['a']);
    // Of a deleted topic nothing is left on the disk.
    expect(fs.readdirSync(path.join(dataDir, 'logs'))).toHaveLength(1);
    const other = await start();
    expect(other.clusterId).not.toBe(first.clusterId);
  });

  it(
    'loses nothing that was acknowledged, however often it is killed in full flow',
    { timeout: 60_000 },
    async () => {
      const broker = await startKillable();
      const { address } = broker;
      await (
        await adminOf(address)
      ).createTopics({
        topics: [{ topic: 't', configEntries: [{ name: 'segment.bytes', value: '20000' }] }],
      });
      const producer = await producerOf(address);
      const acknowledged: string[] = [];
      let kills = 0;
      for (let count = 0; count < 150; count += 1) {
        const values = Array.from({ length: 20 }, (_, index) => `${count}.${index}`);
        const sending = producer.send({ topic: 't', messages: values.map((value) => ({ value })) });
        if (count % 50 === 30) {
          kills += 1;
          await broker.killAndRestart();
        }
        await sending;
        acknowledged.push(...values);
      }
      expect(kills).toBe(3);
      // Idempotent: a batch that was sent again after a kill is there once, since the producers are kept too.
      expect(await valuesIn(address, 't')).toEqual(acknowledged);
    },
  );
});

describe('a start', () => {
  it('refuses a folder that another broker has, by name, and takes it when that one is gone', async () => {
    const dataDir = folder();
    const first = await start({ dataDir });
    const refused = start({ dataDir });
    await expect(refused).rejects.toThrow(FolderInUseError);
    await expect(refused).rejects.toThrow(dataDir);
    await first.stop();
    await (await start({ dataDir })).stop();
    expect(fs.readdirSync(dataDir).filter((name) => name.startsWith('lock'))).toEqual([]);
  });

  it('lets one of many in that come at once, also when a killed one left its lock', async () => {
    const dataDir = path.join(folder(), 'a-deep-folder'.repeat(10));
    fs.mkdirSync(dataDir, { recursive: true });
    // What a kill leaves: a socket that nobody listens on.
    const dead = net.createServer();
    const short = path.join(folder(), 'dead');
    await new Promise<void>((resolve) => dead.listen(short, resolve));
    fs.linkSync(short, path.join(dataDir, 'lock-7'));
    await new Promise((resolve) => dead.close(resolve));
    const attempts = await Promise.allSettled(Array.from({ length: 8 }, () => start({ dataDir })));
    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const attempt of attempts) {
      if (attempt.status === 'rejected') expect(attempt.reason).toBeInstanceOf(FolderInUseError);
    }
  });

  it('refuses a port that is taken, by name, and leaves the folder free', async () => {
    const first = await start();
    const dataDir = folder();
    const refused = start({ dataDir, port: first.port });
    await expect(refused).rejects.toThrow(CannotListenError);
    await expect(refused).rejects.toThrow(first.address);
    await start({ dataDir });
  });
});

describe('a broker that runs', () => {
  it('deletes on request what the topics keep no longer', async () => {
    const broker = await start();
    const client = await connect(broker);
    await client.ask(3, 4, body.metadata(['t']));
    const batch = recordBatch({ values: ['old'], timestamps: 1_000 });
    await client.ask(0, 7, body.produce('t', batch));
    broker.applyRetention();
    const { startOffset, highWatermark, error } = fetched(await client.ask(1, 11, body.fetch('t', 0)));
    expect({ startOffset, highWatermark, error }).toEqual({
      startOffset: 1,
      highWatermark: 1,
      error: ERROR.OFFSET_OUT_OF_RANGE,
    });
  });

  it('ends all connections on request, and takes new ones', async () => {
    const broker = await start();
    const clients = [await connect(broker), await connect(broker)];
    for (const client of clients) await client.ask(18, 0);
    broker.disconnectClients();
    await Promise.all(clients.map(({ closed }) => closed));
    expect((await (await connect(broker)).ask(18, 0))?.int16()).toBe(ERROR.NONE);
  });

  it.skipIf(!hasIpv6)('listens on IPv6 too, and says so in its address', async () => {
    const broker = await start({ host: '::1' });
    expect(broker.address).toBe(`[::1]:${broker.port}`);
    const socket = net.connect(broker.port, '::1');
    await once(socket, 'connect');
    socket.destroy();
  });
});
