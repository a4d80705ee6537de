import { ERROR, type ErrorCode } from '../wire/errors.ts';
import { api, NO_OPERATIONS } from './api.ts';

interface Response {
  readonly error: ErrorCode;
  readonly clusterId: string;
  readonly nodes: readonly { readonly id: number; readonly host: string; readonly port: number }[];
}

const BROKERS = 1;

export const describeCluster = api<undefined, Response>({
  key: 60,
  name: 'DescribeCluster',
  min: 0,
  max: 1,
  flexibleFrom: 0,
  read(reader, version) {
    reader.boolean(); // operations
    if (version >= 1) reader.int8(); // endpoint type: brokers or controllers
    return undefined;
  },
  handle: (_, { broker, connection }) => ({
    error: ERROR.NONE,
    clusterId: broker.clusterId,
    nodes: [{ id: broker.nodeId, ...connection.reachedAt }],
  }),
  write(writer, { error, clusterId, nodes }, version) {
    writer.int32(0); // throttle time
    writer.int16(error);
    writer.nullableString(null); // message
    if (version >= 1) writer.int8(BROKERS);
    writer.string(clusterId);
    writer.int32(nodes[0]?.id ?? -1); // controller
    writer.structs(nodes, ({ id, host, port }) => {
      writer.int32(id);
      writer.string(host);
      writer.int32(port);
      writer.nullableString(null); // rack
    });
    writer.int32(NO_OPERATIONS);
  },
  fail: (_, error) => ({ error, clusterId: '', nodes: [] }),
});
