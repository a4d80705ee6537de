import type { ProducerIdentity } from '../transactions/transaction.ts';
import { ERROR, type ErrorCode } from '../wire/errors.ts';
import { api } from './api.ts';
import { fencedBefore } from './fenced.ts';

interface Request {
  /** Null for a producer that is only idempotent. */
  readonly transactionalId: string | null;
  readonly timeoutMs: number;
  readonly producer: ProducerIdentity;
}

interface Response {
  readonly error: ErrorCode;
  readonly producer: ProducerIdentity;
}

const NOBODY: ProducerIdentity = { producerId: -1, epoch: -1 };

export const initProducerId = api<Request, Response>({
  key: 22,
  name: 'InitProducerId',
  min: 0,
  max: 4,
  flexibleFrom: 2,
  read(reader, version) {
    return {
      transactionalId: reader.nullableString(),
      timeoutMs: reader.int32(),
      producer: version >= 3 ? { producerId: reader.int64(), epoch: reader.int16() } : NOBODY,
    };
  },
  handle({ transactionalId, timeoutMs, producer }, { broker, version }) {
    if (transactionalId === null) {
      return { error: ERROR.NONE, producer: { producerId: broker.transactions.newProducerId(), epoch: 0 } };
    }
    const begun = broker.transactions.initialize(transactionalId, producer, timeoutMs);
    return { ...begun, error: fencedBefore(4, version, begun.error) };
  },
  write(writer, { error, producer }) {
    writer.int32(0); // throttle time
    writer.int16(error);
    writer.int64(producer.producerId);
    writer.int16(producer.epoch);
  },
  fail: (_, error) => ({ error, producer: NOBODY }),
});
