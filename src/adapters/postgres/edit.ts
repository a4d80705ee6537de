import { randomUUID } from 'node:crypto';
import { decideEdit, type Edit, type EditOrigin, type EditRequest } from '../../domain/edit.ts';
import {
  decideConditionalEdit,
  NAMED_EDITS,
  type ConditionalEdit,
  type EditConditions,
  type RowRequest,
} from '../../domain/edits/conditional.ts';
import { checkNotEdited } from '../../domain/edits/edited-since.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import type { StateKeys } from '../../domain/state.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Changes, Snapshot } from '../../ports/store.ts';
import { Connection } from './connection.ts';
import { isEnded, isLocked } from './failures.ts';
import { LOCKED_MS, PAUSE_MS } from './lasting.ts';
import { checkedMigrations, migrate } from './migrate.ts';
import { EDITED } from './owner/requests.ts';
import type { EditRow } from './rows/edits.ts';
import type { PostgresOptions } from './store.ts';
import { apply, keysOf, Writes } from './transactions/apply.ts';
import { Loaded } from './transactions/loaded.ts';
import { nextSeq } from './transactions/seq.ts';
import { SmallTables } from './transactions/small-tables.ts';
import { write } from './transactions/write.ts';

const EDITS_BETWEEN = 'SELECT edit FROM orderctl.edits WHERE seq > $1 AND seq < $2';

/** One or several edits, and their result. */
interface Wanted<R> {
  readonly keys: Pick<StateKeys, 'users' | 'items'>;
  /** What must be checked if no store exists yet; null: nothing. */
  readonly request: EditRequest | null;
  /** The name of the edit, if it has one. */
  readonly key: string | null;
  readonly decide: (state: Snapshot) => { readonly changes: Changes; readonly result: R };
  /**
   * The number of the last commit that the request was computed from, if no edit may follow it; null: edits may
   * follow.
   */
  readonly uneditedSince?: number | null;
}

/** @throws Failure from decideEdit */
export function makeEdit(options: PostgresOptions, request: EditRequest, origin: EditOrigin): Promise<Edit> {
  return make(options, origin, {
    keys: keysOfRequest(request),
    request,
    key: null,
    decide: (state) => {
      const edit = decideEdit(request, state);
      return { changes: { edits: [edit] }, result: edit };
    },
  });
}

/** @throws Failure from decideConditionalEdit */
export function makeEditIf(
  options: PostgresOptions,
  request: RowRequest,
  conditions: EditConditions,
  origin: EditOrigin,
): Promise<ConditionalEdit> {
  const decide = (state: Snapshot) => decideConditionalEdit(request, conditions, state);
  return make(options, origin, { keys: keysOfRequest(request), request, key: conditions.key, decide });
}

/**
 * Makes several edits of rows together. @param decide may run again @throws Failure changed_since, see uneditedSince
 */
export function makeAll(
  options: PostgresOptions,
  { keys, uneditedSince }: Pick<Wanted<unknown>, 'keys' | 'uneditedSince'>,
  decide: (state: Snapshot) => Edit[],
  origin: EditOrigin,
): Promise<readonly Edit[]> {
  return make(options, origin, {
    keys,
    uneditedSince: uneditedSince ?? null,
    request: null,
    key: null,
    decide: (state) => {
      const edits = decide(state);
      return { changes: { edits }, result: edits };
    },
  });
}

function keysOfRequest(request: EditRequest): Pick<StateKeys, 'users' | 'items'> {
  return {
    users: 'user' in request ? [request.user] : [],
    items: 'item' in request ? [request.item] : [],
  };
}

/** Edits in a transaction of its own, while others own the store; they apply the edit with their next transaction. */
async function make<R>(
  options: PostgresOptions,
  { via, why, undoes }: EditOrigin,
  { keys, request, key, decide, uneditedSince = null }: Wanted<R>,
): Promise<R> {
  await using connection = await Connection.open(options);
  if (request !== null && (await checkedMigrations(connection)) === null) checkWithout(request, options.url);
  await migrate(connection, randomUUID);
  const { clock, user: by } = options;
  return await despiteOthers(clock, connection, async () => {
    const loaded = new Loaded(connection, new SmallTables().draft());
    await loaded.lock(keys);
    const { seq, at } = await nextSeq(connection);
    await loaded.readAbsent();
    if (uneditedSince !== null) await checkUnedited(connection, keys, { since: uneditedSince, seq });
    // The same request may just have been made.
    if (key !== null) await loaded.readFacts({ facts: new Map([[NAMED_EDITS, [key]]]) });
    const stamp = { seq, at, storeId: '', by, via, why, undoes, isNews: true };
    const { changes, result } = decide(loaded.snapshot(stamp));
    const writes = new Writes();
    await loaded.lock(keysOf(changes));
    apply(changes, stamp, { loaded, writes, onEdits: undefined });
    await write(connection, { loaded, writes, seq });
    // It is sent when the transaction commits.
    await connection.query(`NOTIFY ${EDITED}`);
    return result;
  });
}

/** @param seq of this commit @throws Failure changed_since */
async function checkUnedited(
  connection: Connection,
  keys: Wanted<unknown>['keys'],
  { since, seq }: { readonly since: number; readonly seq: number },
): Promise<void> {
  const rows = await connection.query<Pick<EditRow, 'edit'>>(EDITS_BETWEEN, [since, seq]);
  const edits = rows.map(({ edit }) => edit);
  checkNotEdited('user', new Set(keys.users), edits);
  checkNotEdited('item', new Set(keys.items), edits);
}

/** @throws Failure when a lock was waited for too long, or the server keeps ending the statement */
async function despiteOthers<R>(clock: Clock, connection: Connection, work: () => Promise<R>): Promise<R> {
  const from = clock.elapsed();
  for (;;) {
    try {
      return await connection.transaction(work);
    } catch (error) {
      const isPassing = isLocked(error) || (isEnded(error) && !connection.isLost);
      if (!isPassing || clock.elapsed() - from >= LOCKED_MS) throw error;
      if (isEnded(error)) await clock.sleep(PAUSE_MS);
    }
  }
}

/**
 * A request that cannot succeed must not create a store. @throws Failure from an edit that would fail in an empty
 * store
 */
function checkWithout(request: EditRequest, name: string): void {
  try {
    decideEdit(request, { user: () => undefined, item: () => undefined });
  } catch (error) {
    throw isFailure(error, 'not_found') ? noStore(name) : error;
  }
}

export function noStore(name: string): Failure {
  return new Failure('not_found', `there is no store in ${name}`, { fix: { kind: 'begin_storage' } });
}
