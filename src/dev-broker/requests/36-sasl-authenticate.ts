import { ERROR, KafkaError, type ErrorCode } from '../wire/errors.ts';
import { api } from './api.ts';

interface Response {
  readonly error: ErrorCode;
  readonly message: string | null;
  readonly answer: Buffer;
}

export const saslAuthenticate = api<Buffer, Response>({
  key: 36,
  name: 'SaslAuthenticate',
  min: 0,
  max: 2,
  flexibleFrom: 2,
  read: (reader) => reader.bytes(),
  handle(token, { connection }) {
    const { sasl } = connection;
    if (sasl === undefined) return failure(ERROR.ILLEGAL_SASL_STATE, 'SaslHandshake must come first');
    try {
      const { answer, user } = sasl.next(token);
      if (user !== undefined) {
        connection.user = user;
        connection.sasl = undefined;
      }
      return { error: ERROR.NONE, message: null, answer };
    } catch (error) {
      connection.sasl = undefined;
      connection.closeAfterAnswer = true;
      if (error instanceof KafkaError) return failure(error.code, error.message);
      throw error;
    }
  },
  write(writer, { error, message, answer }, version) {
    writer.int16(error);
    writer.nullableString(message);
    writer.bytes(answer);
    if (version >= 1) writer.int64(0); // sessions do not expire
  },
  fail: (_, error) => failure(error, null),
});

function failure(error: ErrorCode, message: string | null): Response {
  return { error, message, answer: Buffer.alloc(0) };
}
