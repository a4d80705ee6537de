import type { ProducerIdentity } from '../transactions/transaction.ts';
import type { ErrorCode } from '../wire/errors.ts';
import { api } from './api.ts';
import { fencedBefore } from './fenced.ts';

interface Request {
  readonly transactionalId: string;
  readonly producer: ProducerIdentity;
  readonly committed: boolean;
}

export const endTxn = api<Request, ErrorCode>({
  key: 26,
  name: 'EndTxn',
  min: 0,
  max: 3,
  flexibleFrom: 3,
  read(reader) {
    return {
      transactionalId: reader.string(),
      producer: { producerId: reader.int64(), epoch: reader.int16() },
      committed: reader.boolean(),
    };
  },
  handle({ transactionalId, producer, committed }, { broker, version }) {
    return fencedBefore(2, version, broker.transactions.end(transactionalId, producer, committed));
  },
  write(writer, error) {
    writer.int32(0); // throttle time
    writer.int16(error);
  },
  fail: (_, error) => error,
});
