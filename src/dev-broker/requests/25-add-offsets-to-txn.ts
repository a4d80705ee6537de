import type { ProducerIdentity } from '../transactions/transaction.ts';
import { ERROR, type ErrorCode } from '../wire/errors.ts';
import { api } from './api.ts';
import { fencedBefore } from './fenced.ts';

interface Request {
  readonly transactionalId: string;
  readonly producer: ProducerIdentity;
  readonly groupId: string;
}

export const addOffsetsToTxn = api<Request, ErrorCode>({
  key: 25,
  name: 'AddOffsetsToTxn',
  min: 0,
  max: 3,
  flexibleFrom: 3,
  read(reader) {
    return {
      transactionalId: reader.string(),
      producer: { producerId: reader.int64(), epoch: reader.int16() },
      groupId: reader.string(),
    };
  },
  handle({ transactionalId, producer, groupId }, { broker, version }) {
    if (groupId === '') return ERROR.INVALID_GROUP_ID;
    const error = broker.transactions.add(transactionalId, producer, { groups: [groupId] });
    return fencedBefore(2, version, error);
  },
  write(writer, error) {
    writer.int32(0); // throttle time
    writer.int16(error);
  },
  fail: (_, error) => error,
});
