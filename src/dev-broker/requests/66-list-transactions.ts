import type { Transaction, TransactionState } from '../transactions/transaction.ts';
import { ERROR, type ErrorCode } from '../wire/errors.ts';
import { api } from './api.ts';

interface Request {
  readonly states: readonly string[];
  readonly producerIds: readonly number[];
  /** Only transactions that have been open for longer than this; −1 for all. */
  readonly longerThanMs: number;
}

interface Response {
  readonly error: ErrorCode;
  readonly unknownStates: readonly string[];
  readonly transactions: readonly (readonly [transactionalId: string, transaction: Transaction])[];
}

const STATES: ReadonlySet<string> = new Set<TransactionState>([
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
]);

export const listTransactions = api<Request, Response>({
  key: 66,
  name: 'ListTransactions',
  min: 0,
  max: 1,
  flexibleFrom: 0,
  read(reader, version) {
    return {
      states: reader.array(() => reader.string()),
      producerIds: reader.array(() => reader.int64()),
      longerThanMs: version >= 1 ? reader.int64() : -1,
    };
  },
  handle({ states, producerIds, longerThanMs }, { broker }) {
    const before = Date.now() - longerThanMs;
    const transactions = broker.transactions
      .all()
      .filter(
        ([, { state, producerId, startedAt }]) =>
          (states.length === 0 || states.includes(state)) &&
          (producerIds.length === 0 || producerIds.includes(producerId)) &&
          (longerThanMs < 0 || (startedAt >= 0 && startedAt < before)),
      );
    return {
      error: ERROR.NONE,
      unknownStates: states.filter((state) => !STATES.has(state)),
      transactions,
    };
  },
  write(writer, { error, unknownStates, transactions }) {
    writer.int32(0); // throttle time
    writer.int16(error);
    writer.array(unknownStates, (state) => writer.string(state));
    writer.structs(transactions, ([transactionalId, { producerId, state }]) => {
      writer.string(transactionalId);
      writer.int64(producerId);
      writer.string(state);
    });
  },
  fail: (_, error) => ({ error, unknownStates: [], transactions: [] }),
});
