import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { destroyConnections, guard } from '../../../src/adapters/kafka/protocol/connections.ts';
import {
  Broker,
  connectionPoolBuilder,
  createLogger,
  defaultSocketFactory,
  LOG_NOTHING,
  type BrokerNode,
  type ConnectionPool,
} from '../../../src/adapters/kafka/protocol/kafkajs.ts';
import { fetchMetadata } from '../../../src/adapters/kafka/protocol/requests/metadata.ts';

async function poolOf(port: number, requestTimeoutMs: number): Promise<ConnectionPool> {
  return connectionPoolBuilder({
    brokers: [`127.0.0.1:${port}`],
    clientId: 'c',
    connectionTimeout: 5_000,
    requestTimeout: requestTimeoutMs,
    enforceRequestTimeout: true,
    maxInFlightRequests: null,
    instrumentationEmitter: null,
    logger: createLogger({ level: LOG_NOTHING, logCreator: () => () => undefined }),
    socketFactory: defaultSocketFactory,
  }).build({ host: '127.0.0.1', port });
}

function nodeOf(connectionPool: ConnectionPool): BrokerNode {
  const node: unknown = { connectionPool, versions: { 3: { minVersion: 0, maxVersion: 7 } } };
  return node as BrokerNode;
}

/** @returns the port of a server, which is closed with the test */
async function serve(onConnection: (socket: net.Socket) => void): Promise<number> {
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

test('a connection on which no answer comes in time is closed, not asked again', async () => {
  let closed = 0;
  // Takes everything and says nothing, like a network that has forgotten the connection.
  const port = await serve((socket) => {
    socket.on('data', () => undefined);
    socket.on('close', () => (closed += 1));
  });
  const pool = await poolOf(port, 50);
  guard(pool, new Map());
  await expect(fetchMetadata(nodeOf(pool), [])).rejects.toMatchObject({
    name: 'KafkaJSRequestTimeoutError',
  });
  await expect.poll(() => closed).toBe(1);
});

/** ApiVersions, version 2: Metadata up to version 7. */
function someVersions(correlationId: number): Buffer {
  const versions = [3, 0, 7];
  const answer = Buffer.alloc(4 + 4 + 2 + 4 + 2 * versions.length + 4);
  answer.writeInt32BE(answer.byteLength - 4);
  answer.writeInt32BE(correlationId, 4);
  answer.writeInt32BE(1, 10);
  versions.forEach((version, at) => answer.writeInt16BE(version, 14 + 2 * at));
  return answer;
}

test('a node that is too busy to answer in time is given twice the time with each connection, until it answers', async () => {
  const limitMs = 400;
  let asked = 0;
  const port = await serve((socket) => {
    socket.on('data', (request) => {
      const [apiKey, correlationId] = [request.readInt16BE(4), request.readInt32BE(8)];
      // Its versions it knows at once.
      if (apiKey === 18) socket.write(someVersions(correlationId));
      else asked += 1;
      if (asked > 6) setTimeout(() => socket.write(emptyMetadata(correlationId)), 3 * limitMs);
    });
  });
  const unanswered = new Map<string, number>();
  const connect = async (): Promise<BrokerNode> => {
    const connectionPool = await poolOf(port, limitMs);
    guard(connectionPool, unanswered);
    const logger = createLogger({ level: LOG_NOTHING, logCreator: () => () => undefined });
    const node = new Broker({
      connectionPool,
      logger,
      allowAutoTopicCreation: false,
      authenticationTimeout: 5_000,
    });
    await node.connect();
    return node;
  };
  for (const given of [1, 2, 3]) {
    const node = await connect();
    const both = await Promise.allSettled([fetchMetadata(node, []), fetchMetadata(node, [])]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect([...unanswered.values()]).toEqual([given]);
  }
  const node = await connect();
  await fetchMetadata(node, []);
  expect(unanswered.size).toBe(0);
  destroyConnections(node.connectionPool);
});

test('time in which the process did not run is no silence of a node', async () => {
  const limitMs = 300;
  const port = await serve((socket) => {
    socket.on('data', (request) => {
      socket.write(emptyMetadata(request.readInt32BE(8)));
      // The answer is on its way, and is read after the timers that are due by then.
      const until = performance.now() + 2 * limitMs;
      while (performance.now() < until);
    });
  });
  const pool = await poolOf(port, limitMs);
  guard(pool, new Map());
  await expect(fetchMetadata(nodeOf(pool), [])).resolves.toBeDefined();
  destroyConnections(pool);
});

/** Metadata, version 7, of a cluster without brokers or topics, to the request with this correlation id. */
function emptyMetadata(correlationId: number): Buffer {
  const body = Buffer.alloc(4 + 4 + 4 + (2 + 7) + 4 + 4);
  body.writeInt32BE(correlationId, 0);
  body.writeInt16BE(7, 12);
  body.write('cluster', 14, 'latin1');
  const size = Buffer.alloc(4);
  size.writeInt32BE(body.byteLength);
  return Buffer.concat([size, body]);
}

test('half an answer that a lost connection left is not the beginning of what the next one says', async () => {
  let connections = 0;
  const port = await serve((socket) => {
    const isFirst = connections++ === 0;
    socket.on('data', (request) => {
      const answer = emptyMetadata(request.readInt32BE(8));
      if (isFirst) socket.end(answer.subarray(0, answer.byteLength - 5));
      else socket.write(answer);
    });
  });
  const pool = await poolOf(port, 2_000);
  guard(pool, new Map());
  await expect(fetchMetadata(nodeOf(pool), [])).rejects.toThrow(/closed|connection/i);
  // It is not connected again: a new one takes its place.
  await expect(fetchMetadata(nodeOf(pool), [])).rejects.toThrow(/not connected/i);
  const next = await poolOf(port, 2_000);
  onTestFinished(() => destroyConnections(next));
  guard(next, new Map());
  expect(await fetchMetadata(nodeOf(next), [])).toMatchObject({ clusterId: 'cluster', brokers: [] });
});

test('two requests that come together make one connection', async () => {
  let connections = 0;
  const port = await serve((socket) => {
    connections += 1;
    let waiting = Buffer.alloc(0);
    socket.on('data', (bytes) => {
      waiting = Buffer.concat([waiting, bytes]);
      while (waiting.length > 4) {
        socket.write(emptyMetadata(waiting.readInt32BE(8)));
        waiting = waiting.subarray(4 + waiting.readInt32BE(0));
      }
    });
  });
  const pool = await poolOf(port, 2_000);
  onTestFinished(() => destroyConnections(pool));
  guard(pool, new Map());
  await Promise.all([fetchMetadata(nodeOf(pool), []), fetchMetadata(nodeOf(pool), [])]);
  expect(connections).toBe(1);
});

test('a large answer over a slow link is no silence', async () => {
  const port = await serve((socket) => {
    socket.on('data', (request) => {
      const answer = emptyMetadata(request.readInt32BE(8));
      let at = 0;
      const timer = setInterval(() => {
        socket.write(answer.subarray(at, at + 4));
        at += 4;
        if (at >= answer.length) clearInterval(timer);
      }, 60);
    });
  });
  const pool = await poolOf(port, 300);
  onTestFinished(() => destroyConnections(pool));
  guard(pool, new Map());
  // Ten pieces: twice as long as the time-out, and never as long without a word.
  expect(await fetchMetadata(nodeOf(pool), [])).toMatchObject({ clusterId: 'cluster' });
});
