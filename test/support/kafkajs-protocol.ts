import { createRequire } from 'node:module';

import type { RawClient } from './raw-client.ts';

const load = createRequire(import.meta.url);

interface Message {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    encode(): Promise<{ readonly buffer: Buffer }>;
  };
  readonly response: { decode(payload: Buffer): Promise<object>; parse(decoded: object): Promise<object> };
}

interface Protocol {
  readonly versions: readonly string[];
  readonly protocol: (of: { version: number }) => (fields: object) => Message;
}

function protocolOf(name: string): Protocol {
  return load(`kafkajs/src/protocol/requests/${name}/index.js`) as Protocol;
}

/**
 * Sends a request in one version of the protocol with kafkajs's encoding, which is independent of the broker's: any
 * difference between the two shows.
 *
 * @param name of the message in kafkajs: `joinGroup`
 * @param version clamped to the versions that kafkajs knows
 * @returns the fields of the answer
 * @throws the error in the answer, its name as `type`
 */
export async function askByKafkajs(
  client: RawClient,
  name: string,
  version: number,
  fields: object = {},
): Promise<object> {
  const { versions, protocol } = protocolOf(name);
  const [oldest = 0, newest = 0] = [versions[0], versions.at(-1)].map(Number);
  const known = Math.min(Math.max(version, oldest), newest);
  const { request, response } = protocol({ version: known })(fields);
  const head = client.request(request.apiKey, request.apiVersion);
  const { buffer } = await request.encode();
  const frame = Buffer.concat([head, buffer]);
  frame.writeInt32BE(frame.length - 4, 0);
  client.send(frame);
  const answer = await client.answer();
  if (answer === undefined) throw new Error(`the connection was closed upon ${name} version ${known}`);
  const payload = Buffer.from(Array.from({ length: answer.remaining }, () => answer.int8()));
  return response.parse(await response.decode(payload));
}
