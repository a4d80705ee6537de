import { MECHANISMS } from '../auth/users.ts';
import { ERROR, type ErrorCode } from '../wire/errors.ts';
import { api } from './api.ts';

/**
 * Begins authentication by a mechanism; SaslAuthenticate follows. Version 0, after which tokens are sent without a
 * header and which clients stopped using in 2017, is offered because librdkafka assumes no SASL without it, but is
 * refused.
 */
export const saslHandshake = api<string, ErrorCode>({
  key: 17,
  name: 'SaslHandshake',
  min: 0,
  max: 1,
  read: (reader) => reader.string(),
  handle(mechanism, { broker, connection, version }) {
    if (broker.users === undefined) return ERROR.ILLEGAL_SASL_STATE;
    connection.sasl = version === 0 ? undefined : broker.users.exchange(mechanism);
    return connection.sasl === undefined ? ERROR.UNSUPPORTED_SASL_MECHANISM : ERROR.NONE;
  },
  write(writer, error) {
    writer.int16(error);
    writer.array(MECHANISMS, (mechanism) => writer.string(mechanism));
  },
  fail: (_, error) => error,
});
