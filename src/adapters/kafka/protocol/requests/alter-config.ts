import { newEncoder, type BrokerNode } from '../kafkajs.ts';
import { REQUESTS, send } from './request.ts';

const TOPIC_RESOURCE = 2;
const SET = 0;

/**
 * IncrementalAlterConfigs, version 0: sets only the named configurations. The older AlterConfigs resets all others to
 * their defaults.
 *
 * @returns the error code and message for the topic
 */
export async function setTopicConfigs(
  node: BrokerNode,
  topic: string,
  configs: Readonly<Record<string, string>>,
): Promise<{ errorCode: number; message: string | null }> {
  const entries = Object.entries(configs);
  const answers = await send(node, REQUESTS.incrementalAlterConfigs, {
    body: () => {
      const encoder = newEncoder()
        .writeInt32(1)
        .writeInt8(TOPIC_RESOURCE)
        .writeString(topic)
        .writeInt32(entries.length);
      for (const [name, value] of entries) encoder.writeString(name).writeInt8(SET).writeString(value);
      return encoder.writeBoolean(false);
    },
    decode: (decoder) => {
      decoder.readInt32(); // throttle time
      return decoder.readArray((item) => {
        const answer = { errorCode: item.readInt16(), message: item.readString() };
        item.readInt8(); // resource type
        item.readString();
        return answer;
      });
    },
  });
  return answers[0] ?? { errorCode: 0, message: null };
}
