import { Failure } from '../../../domain/failure.ts';
import { TABLES } from './0001-tables.ts';
import { INSTANCES } from './0002-instances.ts';
import { SQL_EDITS } from './0003-sql-edits.ts';
import { VIEWS } from './0005-views.ts';
import { SEAL } from './0007-seal.ts';
import { OUTBOX_GROUPS } from './0008-outbox-groups.ts';
import { LISTS } from './0010-lists.ts';
import { ANNOUNCERS } from './0012-announcers.ts';
import { ARCHIVES } from './0013-archives.ts';
import { INSTANCE_COMMITS } from './0014-instance-commits.ts';
import { COMMITS_OUTLIVE_INSTANCES } from './0015-commits-outlive-instances.ts';
import { ORDER_TRACES } from './0016-order-traces.ts';

/** By number, in order. Never change one that was released: add another. */
export const MIGRATIONS: ReadonlyMap<number, string> = new Map([
  [1, TABLES],
  [2, INSTANCES],
  [3, SQL_EDITS],
  [5, VIEWS],
  [7, SEAL],
  [8, OUTBOX_GROUPS],
  [10, LISTS],
  [12, ANNOUNCERS],
  [13, ARCHIVES],
  [14, INSTANCE_COMMITS],
  [15, COMMITS_OUTLIVE_INSTANCES],
  [16, ORDER_TRACES],
]);

/** The version of a store is the highest number that it has. */
export const NEWEST = Math.max(...MIGRATIONS.keys());

/** @param numbers of migrations that the database has @throws Failure store_too_new */
export function checkKnown(name: string, numbers: readonly number[]): void {
  const unknown = numbers.filter((number) => !MIGRATIONS.has(number));
  if (unknown.length === 0) return;
  throw new Failure(
    'store_too_new',
    `the store in ${name} has migration ${Math.max(...unknown)}, which this program does not know`,
    { fix: 'use the newer orderctl that migrated it' },
  );
}
