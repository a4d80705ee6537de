import { ERROR, type ErrorCode } from '../wire/errors.ts';
import { api } from './api.ts';

interface Found {
  readonly key: string;
  readonly error: ErrorCode;
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
}

const GROUP = 0;
const TRANSACTION = 1;

/** There is one node, and it coordinates every group and every transaction. */
export const findCoordinator = api<{ keys: readonly string[]; keyType: number }, readonly Found[]>({
  key: 10,
  name: 'FindCoordinator',
  min: 0,
  max: 4,
  flexibleFrom: 3,
  read(reader, version) {
    const key = version <= 3 ? reader.string() : null;
    const keyType = version >= 1 ? reader.int8() : GROUP;
    return { keys: key === null ? reader.array(() => reader.string()) : [key], keyType };
  },
  handle({ keys, keyType }, { broker, connection }) {
    const isKnown = keyType === GROUP || keyType === TRANSACTION;
    return keys.map((key) =>
      isKnown
        ? { key, error: ERROR.NONE, nodeId: broker.nodeId, ...connection.reachedAt }
        : notFound(key, ERROR.INVALID_REQUEST),
    );
  },
  write(writer, found, version) {
    if (version >= 1) writer.int32(0); // throttle time
    if (version >= 4) {
      writer.structs(found, ({ key, error, nodeId, host, port }) => {
        writer.string(key);
        writer.int32(nodeId);
        writer.string(host);
        writer.int32(port);
        writer.int16(error);
        writer.nullableString(null);
      });
      return;
    }
    const { error, nodeId, host, port } = found[0] ?? notFound('', ERROR.INVALID_REQUEST);
    writer.int16(error);
    if (version >= 1) writer.nullableString(null);
    writer.int32(nodeId);
    writer.string(host);
    writer.int32(port);
  },
  fail: ({ keys }, error) => keys.map((key) => notFound(key, error)),
});

function notFound(key: string, error: ErrorCode): Found {
  return { key, error, nodeId: -1, host: '', port: -1 };
}
