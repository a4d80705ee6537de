import { ERROR, type ErrorCode } from '../wire/errors.ts';
import { api } from './api.ts';

interface ApiRange {
  readonly key: number;
  readonly min: number;
  readonly max: number;
}

interface Response {
  readonly error: ErrorCode;
  readonly ranges: readonly ApiRange[];
}

export const API_VERSIONS_KEY = 18;

/** @param ranges of all APIs: importing their table would be circular */
export function apiVersions(ranges: () => readonly ApiRange[]) {
  return api<undefined, Response>({
    key: API_VERSIONS_KEY,
    name: 'ApiVersions',
    min: 0,
    max: 3,
    flexibleFrom: 3,
    read(reader, version) {
      if (version >= 3) {
        reader.string(); // client software name
        reader.string(); // client software version
      }
      return undefined;
    },
    handle: () => ({ error: ERROR.NONE, ranges: ranges() }),
    write(writer, { error, ranges }, version) {
      writer.int16(error);
      writer.structs(ranges, ({ key, min, max }) => {
        writer.int16(key);
        writer.int16(min);
        writer.int16(max);
      });
      if (version >= 1) writer.int32(0);
      // Features would be tagged fields; none is advertised: transaction.version would select KIP-890's protocol.
    },
    fail: (_, error) => ({ error, ranges: error === ERROR.UNSUPPORTED_VERSION ? ranges() : [] }),
  });
}
