import { randomUUID } from 'node:crypto';
import { decideEdit, type Edit, type EditOrigin, type EditRequest } from '../../domain/edit.ts';
import { isFailure } from '../../domain/failure.ts';
import { Connection } from './connection.ts';
import { checkedVersion, migrate } from './migrate.ts';
import { EDITED } from './owner/requests.ts';
import type { PostgresOptions } from './store.ts';
import { apply, keysOf, Writes } from './transactions/apply.ts';
import { Loaded } from './transactions/loaded.ts';
import { nextSeqs } from './transactions/seq.ts';
import { SmallTables } from './transactions/small-tables.ts';
import { write } from './transactions/write.ts';

/**
 * Makes an edit in a transaction of its own, beside any owner, who takes it in with its next one.
 *
 * @throws Failure of decideEdit
 */
export async function makeEdit(
  options: PostgresOptions,
  request: EditRequest,
  { via, why, undoes }: EditOrigin,
  noStore: () => Error,
): Promise<Edit> {
  await using connection = await Connection.open(options);
  if ((await checkedVersion(connection)) === null) {
    // A request that nothing can fulfil must not make a store.
    try {
      decideEdit(request, { user: () => undefined, item: () => undefined });
    } catch (error) {
      throw isFailure(error, 'not_found') ? noStore() : error;
    }
  }
  await migrate(connection, randomUUID);
  const { clock, user: by } = options;
  return await connection.transaction(async () => {
    const loaded = new Loaded(connection, SmallTables.none());
    await loaded.load({
      users: 'user' in request ? [request.user] : [],
      items: 'item' in request ? [request.item] : [],
    });
    const [seq = 0] = await nextSeqs(connection, 1);
    const stamp = { seq, at: clock.now(), storeId: '', by, via, why, undoes, isNews: true };
    const edit = decideEdit(request, loaded.snapshot(stamp));
    const writes = new Writes();
    const changes = { edits: [edit] };
    await loaded.load(keysOf(changes));
    apply(changes, stamp, { loaded, writes, onEdits: undefined });
    await write(connection, loaded, writes);
    // Of one statement, sent when the transaction is committed.
    await connection.query(`NOTIFY ${EDITED}`);
    return edit;
  });
}
