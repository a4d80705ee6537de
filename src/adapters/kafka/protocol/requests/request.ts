import { newDecoder, type BrokerNode, type Decoder, type Encoder, type ProtocolRequest } from '../kafkajs.ts';

/*
 * Requests that kafkajs does not handle suitably: it requests all topics when given none, and fails on all of them
 * when one has no leader; it decodes fetched records itself; it requests offsets without the leader's epoch; it
 * discards which partition of a produce request failed; and it supports neither setting one configuration without
 * resetting the others nor the groups of KIP-848. Source: https://kafka.apache.org/protocol
 */

interface Request {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly apiName: string;
}

/** In versions that every broker since Kafka 2.3 supports. */
export const REQUESTS = {
  produce: { apiKey: 0, apiVersion: 7, apiName: 'Produce' },
  fetch: { apiKey: 1, apiVersion: 11, apiName: 'Fetch' },
  listOffsets: { apiKey: 2, apiVersion: 4, apiName: 'ListOffsets' },
  metadata: { apiKey: 3, apiVersion: 7, apiName: 'Metadata' },
  incrementalAlterConfigs: { apiKey: 44, apiVersion: 0, apiName: 'IncrementalAlterConfigs' },
} as const;

/** The names of the requests above that a node does not support in our version. */
export function missingRequests(node: BrokerNode): string[] {
  return Object.values(REQUESTS)
    .filter((request) => !isOffered(node, request))
    .map(({ apiName }) => apiName);
}

export function isOffered(node: BrokerNode, { apiKey, apiVersion }: Request): boolean {
  const offered = node.versions[apiKey];
  return offered !== undefined && apiVersion >= offered.minVersion && apiVersion <= offered.maxVersion;
}

/** Has the name of kafkajs's own error for this. */
class UnsupportedRequestError extends Error {
  override readonly name = 'KafkaJSServerDoesNotSupportApiKey';
}

/** @param options.requestTimeoutMs how long the connection may be silent; the default is in connections.ts */
export async function send<Answer>(
  node: BrokerNode,
  request: Request,
  options: {
    body: () => Encoder;
    decode: (decoder: Decoder) => Answer;
    requestTimeoutMs?: number;
  },
): Promise<Answer> {
  const { apiName, apiVersion } = request;
  if (!isOffered(node, request)) {
    throw new UnsupportedRequestError(`${apiName} version ${apiVersion} is not supported`);
  }
  const protocol: ProtocolRequest<Answer> = {
    request: { ...request, encode: async () => options.body() },
    response: {
      decode: async (payload) => options.decode(newDecoder(payload)),
      parse: async (decoded) => decoded,
    },
    ...(options.requestTimeoutMs === undefined ? {} : { requestTimeout: options.requestTimeoutMs }),
  };
  return node.connectionPool.send(protocol);
}

export const UUID_BYTES = 16;

/** Skips tagged fields. kafkajs's own method takes their lengths for one more than they are. */
export function skipTags(decoder: Decoder): void {
  for (let left = decoder.readUVarInt(); left > 0; left -= 1) {
    decoder.readUVarInt();
    decoder.readBytes(decoder.readUVarInt());
  }
}

/** Exact up to 2^53. Avoids kafkajs's BigInt: an answer to a fetch has three for each partition, read or not. */
export function int64(decoder: Decoder): number {
  const high = decoder.readInt32();
  return high * 2 ** 32 + (decoder.readInt32() >>> 0);
}
