import { newEncoder, type BrokerNode, type Decoder } from '../kafkajs.ts';
import { isOffered, send, skipTags, UUID_BYTES } from './request.ts';

const CONSUMER_GROUP_DESCRIBE = { apiKey: 69, apiVersion: 0, apiName: 'ConsumerGroupDescribe' };

/** A group that uses the protocol of KIP-848, which DescribeGroups reports as missing. */
export interface ConsumerGroup {
  readonly errorCode: number;
  readonly state: string;
  readonly members: readonly {
    readonly memberId: string;
    readonly clientId: string;
    readonly clientHost: string;
  }[];
}

/**
 * ConsumerGroupDescribe, version 0, available since Kafka 3.7.
 *
 * @returns undefined when the node does not support it, and so has no such groups
 */
export async function describeConsumerGroup(
  node: BrokerNode,
  group: string,
): Promise<ConsumerGroup | undefined> {
  if (!isOffered(node, CONSUMER_GROUP_DESCRIBE)) return undefined;
  const answers = await send(node, CONSUMER_GROUP_DESCRIBE, {
    body: () => {
      // The first tags end the header: the request is flexible, but kafkajs writes the older header.
      const encoder = newEncoder().writeUVarInt(0).writeUVarInt(2).writeUVarIntString(group);
      return encoder.writeBoolean(false).writeUVarInt(0);
    },
    decode: (decoder) => {
      skipTags(decoder); // of the header
      decoder.readInt32(); // throttle time
      return decoder.readUVarIntArray(readConsumerGroup) ?? [];
    },
  });
  return answers[0];
}

function readConsumerGroup(decoder: Decoder): ConsumerGroup {
  const errorCode = decoder.readInt16();
  decoder.readUVarIntString(); // error message
  decoder.readUVarIntString(); // group
  const state = decoder.readUVarIntString() ?? '';
  decoder.readInt32(); // epoch
  decoder.readInt32(); // epoch of the assignment
  decoder.readUVarIntString(); // assignor
  const members = decoder.readUVarIntArray(readConsumerGroupMember) ?? [];
  decoder.readInt32(); // authorized operations
  skipTags(decoder);
  return { errorCode, state, members };
}

function readConsumerGroupMember(decoder: Decoder): ConsumerGroup['members'][number] {
  const memberId = decoder.readUVarIntString() ?? '';
  decoder.readUVarIntString(); // instance
  decoder.readUVarIntString(); // rack
  decoder.readInt32(); // epoch
  const clientId = decoder.readUVarIntString() ?? '';
  const clientHost = decoder.readUVarIntString() ?? '';
  decoder.readUVarIntArray((topic) => topic.readUVarIntString());
  decoder.readUVarIntString(); // regular expression of topics
  skipAssignment(decoder);
  skipAssignment(decoder); // target assignment
  skipTags(decoder);
  return { memberId, clientId, clientHost };
}

function skipAssignment(decoder: Decoder): void {
  decoder.readUVarIntArray((topic) => {
    topic.readBytes(UUID_BYTES);
    topic.readUVarIntString();
    topic.readUVarIntArray((partition) => partition.readInt32());
    skipTags(topic);
  });
  skipTags(decoder);
}
