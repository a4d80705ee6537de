import { Failure } from '../../domain/failure.ts';
import { RESTORED, RESTORED_KEY, REWRITTEN } from '../../domain/messages/restored.ts';
import type { LogPlace, OrderReader } from '../../ports/store.ts';

/** Where a list that reads logs from their ends goes on: it has been with a client. */
export interface LogsMark<Log extends string> {
  /** As `checkedStore` names it. */
  readonly store: string;
  /** Of each log that is not at its end. */
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
 * @returns the name of a store up to its next restore, which takes lines of its logs away, or until they are written again
 * @throws Failure invalid_value: the places of a mark are of another store
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
    'the cursor is of another store, or of this one before it was restored or a user was erased',
    {
      fix: 'begin again without a cursor',
    },
  );
}
