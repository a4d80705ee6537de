import { MECHANISMS } from '../auth/users.ts';
import { ERROR, type ErrorCode } from '../wire/errors.ts';
import { api } from './api.ts';

/** Begins to prove who the client is, by a mechanism. Version 1, which SaslAuthenticate follows: in version 0 bare tokens do. */
export const saslHandshake = api<string, ErrorCode>({
  key: 17,
  name: 'SaslHandshake',
  min: 1,
  max: 1,
  read: (reader) => reader.string(),
  handle(mechanism, { broker, connection }) {
    if (broker.users === undefined) return ERROR.ILLEGAL_SASL_STATE;
    connection.sasl = broker.users.exchange(mechanism);
    return connection.sasl === undefined ? ERROR.UNSUPPORTED_SASL_MECHANISM : ERROR.NONE;
  },
  write(writer, error) {
    writer.int16(error);
    writer.array(MECHANISMS, (mechanism) => writer.string(mechanism));
  },
  fail: (_, error) => error,
});
