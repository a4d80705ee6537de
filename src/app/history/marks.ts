import { Failure } from '../../domain/failure.ts';
import { RESTORED, RESTORED_KEY, REWRITTEN } from '../../domain/messages/restored.ts';
import type { LogPlace, OrderReader } from '../../ports/store.ts';

/** Where a list continues that reads logs from their ends. It comes from a client. */
export interface LogsMark<Log extends string> {
  /** The name of the store, as returned by `checkedStore`. */
  readonly store: string;
  /** The place in each log that is not finished. */
  readonly places: Readonly<Partial<Record<Log, LogPlace>>>;
}

/** Whether a value is a mark of these logs. */
export function isLogsMark<Log extends string>(value: unknown, logs: readonly Log[]): value is LogsMark<Log> {
  if (typeof value !== 'object' || value === null) return false;
  const { store, places } = value as Record<string, unknown>;
  if (typeof store !== 'string' || typeof places !== 'object' || places === null) return false;
  return Object.entries(places).every(
    ([log, place]: [string, unknown]) =>
      logs.some((name) => name === log) && Array.isArray(place) && place.every(Number.isSafeInteger),
  );
}

/**
 * @returns a name for the store that changes when it is restored or its logs are rewritten, since places then change
 * @throws Failure invalid_value: the mark is of another store
 */
export async function checkedStore(
  reader: Pick<OrderReader, 'storeId' | 'small'>,
  mark: { readonly store: string } | null,
): Promise<string> {
  const changes = await Promise.all([RESTORED, REWRITTEN].map((table) => reader.small(table)));
  const times = changes.flatMap((table) => table.get(RESTORED_KEY)?.at ?? []);
  const store = [reader.storeId ?? '', ...times].join('.');
  if (mark === null || mark.store === store) return store;
  throw new Failure(
    'invalid_value',
    'the cursor is from another store, or from before this store was restored or a user was erased',
    {
      fix: 'start again without a cursor',
    },
  );
}
