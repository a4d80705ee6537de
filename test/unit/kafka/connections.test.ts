import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import {
  closeOnTimeout,
  connectionPoolBuilder,
  createLogger,
  defaultSocketFactory,
  LOG_NOTHING,
  type BrokerNode,
} from '../../../src/adapters/kafka/kafkajs-internals.ts';
import { fetchMetadata } from '../../../src/adapters/kafka/requests.ts';

test('a connection on which no answer comes in time is closed, not asked again', async () => {
  let closed = 0;
  // Takes everything and says nothing, like a network that has forgotten the connection.
  const silent = net.createServer((socket) => {
    socket.on('data', () => undefined);
    socket.on('error', () => undefined);
    socket.on('close', () => (closed += 1));
  });
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void silent.close());
  const { port } = silent.address() as AddressInfo;
  const pool = await connectionPoolBuilder({
    brokers: [`127.0.0.1:${port}`],
    clientId: 'c',
    connectionTimeout: 5_000,
    requestTimeout: 50,
    enforceRequestTimeout: true,
    maxInFlightRequests: null,
    instrumentationEmitter: null,
    logger: createLogger({ level: LOG_NOTHING, logCreator: () => () => undefined }),
    socketFactory: defaultSocketFactory,
  }).build({ host: '127.0.0.1', port });
  closeOnTimeout(pool);
  const node = { connectionPool: pool, versions: { 3: { minVersion: 0, maxVersion: 6 } } } as unknown;
  await expect(fetchMetadata(node as BrokerNode, [])).rejects.toMatchObject({
    name: 'KafkaJSRequestTimeoutError',
  });
  await expect.poll(() => closed).toBe(1);
});
