import { afterEach, beforeEach } from 'vitest';

import { openBroker, type Broker } from '../../src/dev-broker/broker.ts';
import type { Connection } from '../../src/dev-broker/requests/api.ts';
import { APIS } from '../../src/dev-broker/requests/index.ts';
import { Reader } from '../../src/dev-broker/wire/reader.ts';
import { readBatchHeader } from '../../src/dev-broker/wire/record-batch.ts';
import { Writer } from '../../src/dev-broker/wire/writer.ts';
import { recordBatch, type BatchOptions } from './record-batches.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** A broker without a socket for each test of a file, with topic `t` (two partitions) and `other` (one). */
export function openedBroker() {
  const folder = temporaryFolder();
  const open = (options: Partial<Parameters<typeof openBroker>[0]> = {}) =>
    openBroker({ dataDir: folder(), warn: () => undefined, ...options });
  let broker: ReturnType<typeof openBroker>;
  beforeEach(() => {
    broker = open();
    broker.topics.create('t', 2);
    broker.topics.create('other', 1);
  });
  afterEach(() => broker.close());
  return {
    get broker() {
      return broker;
    },
    /** Replaces the broker by another one in an empty folder. */
    reopen(options: Parameters<typeof open>[0]) {
      broker.close();
      broker = open(options);
    },
    append: (topic: string, partition: number, options: BatchOptions): void => {
      const batch = recordBatch(options);
      broker.topics.partition(topic, partition)?.append(batch, readBatchHeader(batch), 1);
    },
    ask: (key: number, version: number, body: (writer: Writer) => void): Promise<Reader> =>
      askBroker(broker, key, version, body),
  };
}

/**
 * Sends one request through its handler file, without a socket: read from bytes, handled, answered in bytes.
 *
 * @param body writes the request's fields in the protocol's order
 * @returns a reader of the answer's fields
 */
async function askBroker(
  broker: Broker,
  key: number,
  version: number,
  body: (writer: Writer) => void,
): Promise<Reader> {
  const api = APIS.get(key);
  if (api === undefined) throw new Error(`no API ${key}`);
  const flexible = version >= api.flexibleFrom;
  const bytesOf = (write: (writer: Writer) => void): Buffer => {
    const writer = new Writer();
    writer.flexible = flexible;
    write(writer);
    // Skips the length.
    return Buffer.concat(writer.finish()).subarray(4);
  };
  const call = api.read(new Reader(bytesOf(body), flexible), version);
  const answer = await call.handle({ broker, connection: CONNECTION, clientId: 'test', version });
  if (answer === undefined) throw new Error(`no answer to ${api.name}`);
  return new Reader(bytesOf(answer), flexible);
}

const CONNECTION: Connection = {
  id: 1,
  clientHost: '127.0.0.1',
  reachedAt: { host: '127.0.0.1', port: 9092 },
  closed: new AbortController().signal,
  user: undefined,
  sasl: undefined,
  closeAfterAnswer: false,
};
