import { isFailure } from '../../domain/failure.ts';
import type { StoreAccess } from '../../ports/access.ts';
import type { Broker } from '../../ports/broker.ts';
import { pageFromEnd, type PageMark, type Row } from '../topics/from-end.ts';
import { DeadLetters, isOf, stateKey, type DeadLetter, type DeadLetterScope } from './dead-letters.ts';
import { matchesDeadLetter, type DeadLetterFilter } from './filter.ts';

/** Where a list of dead letters continues. */
export interface DeadLetterMark {
  /** The last one listed of those kept in the folder; null: all of them were listed. */
  readonly kept: string | null;
  /** null: no records of the topics were listed yet. */
  readonly records: PageMark | null;
}

export interface DeadLetterPageOptions<T> {
  readonly scope: DeadLetterScope;
  readonly filter: DeadLetterFilter;
  readonly limit: number;
  /** null: start from the beginning. */
  readonly mark: DeadLetterMark | null;
  /** Extracts the data to keep; the bytes of a dead letter are only valid until this returns. */
  readonly keep: (deadLetter: DeadLetter) => T;
  readonly signal?: AbortSignal;
}

export interface DeadLetterPage<T> {
  readonly deadLetters: readonly T[];
  readonly next: DeadLetterMark | null;
}

/** One page of dead letters: first those kept in the folder, then those in the topics, latest first. As pageFromEnd. */
export async function deadLetterPage<T>(
  { access, broker }: { readonly access: StoreAccess; readonly broker: Broker },
  options: DeadLetterPageOptions<T>,
): Promise<DeadLetterPage<T>> {
  const { scope, filter, limit, mark, keep, signal } = options;
  await using admin = await broker.admin();
  await using reader = await access.read();
  let deadLetters: DeadLetters;
  try {
    deadLetters = await DeadLetters.open({ admin, reader, scope });
  } catch (error) {
    // The topic is created with the first dead letter that is sent.
    if (isFailure(error, 'topic_missing')) return { deadLetters: [], next: null };
    throw error;
  }
  const rows: T[] = [];
  if (mark?.kept !== null) {
    for await (const [one] of deadLetters.kept(null)) {
      if (one?.id.kind !== 'kept' || one.id.of <= (mark?.kept ?? '')) continue;
      if (matchesDeadLetter(one, filter)) rows.push(keep(one));
      if (rows.length === limit) return { deadLetters: rows, next: { kept: one.id.of, records: null } };
    }
  }
  const page = await pageFromEnd(admin, {
    ranges: deadLetters.ranges,
    mark: mark?.records ?? null,
    limit: limit - rows.length,
    rowsOf: (topic, partition, records) =>
      records.map((record): Row<T> => {
        const one = deadLetters.of(topic, partition, record);
        const isWanted = isOf(one, scope) && matchesDeadLetter(one, filter);
        return { at: one.failedAt ?? 0, key: stateKey(one), value: isWanted ? keep(one) : null };
      }),
    ...(signal === undefined ? {} : { signal }),
  });
  return {
    deadLetters: [...rows, ...page.rows],
    next: page.next === null ? null : { kept: null, records: page.next },
  };
}
