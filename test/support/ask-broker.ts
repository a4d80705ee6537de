import type { Broker } from '../../src/dev-broker/broker.ts';
import type { Connection } from '../../src/dev-broker/requests/api.ts';
import { APIS } from '../../src/dev-broker/requests/index.ts';
import { Reader } from '../../src/dev-broker/wire/reader.ts';
import { Writer } from '../../src/dev-broker/wire/writer.ts';

/**
 * One request through its file, without a socket: read from bytes, handled, its answer written to bytes.
 *
 * @param body writes the request's fields in their order, as the protocol has them
 * @returns a reader of the answer's fields
 */
export async function askBroker(
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
    // Behind the length.
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
