import { Failure } from '../../../domain/failure.ts';
import type { Connection } from '../connection.ts';
import { checkKnown } from '../migrations/known.ts';
import { lockCommits, NOW } from './seq.ts';

/** The row of this process is gone: it did not renew it in time, as one that was asleep. */
export class NotRegistered extends Error {}

/** What a process knows once it has the lock of commits. */
export interface Entered {
  /** The numbers of its transactions. */
  readonly seqs: readonly number[];
  /** When they are: as NOW. */
  readonly at: number;
  /** Of the last change of a small table. */
  readonly smallSeq: number;
  /** There are edits by other processes that this one is to take in. */
  readonly hasNews: boolean;
}

/**
 * Edits are for a process that announces them, where there is one, even if it is silent: it announces them when it wakes.
 * The last two by edits_news and small_tables_changed.
 */
const ENTER = `SELECT ARRAY(SELECT nextval('orderctl.commit_seq') FROM generate_series(1, $2)) AS seqs, ${NOW} AS at,
  pg_current_xact_id()::text AS transaction,
  (SELECT is_out FROM orderctl.instances WHERE id = $1) AS "isOut",
  ARRAY(SELECT number FROM orderctl.migrations) AS migrations,
  EXISTS (SELECT FROM orderctl.edits WHERE is_news)
    AND NOT EXISTS (SELECT FROM orderctl.instances WHERE announces AND NOT is_out
      AND NOT (SELECT announces FROM orderctl.instances WHERE id = $1)) AS "hasNews",
  (SELECT max(seq) FROM orderctl.small_tables) AS "smallSeq"`;

/**
 * Takes the lock of commits. What was decided about this process meanwhile is seen here: one that was shut out, or slept
 * while another owned the store alone, or is older than the tables, commits nothing.
 *
 * @throws NotRegistered; Failure folder_in_use: it was shut out; store_too_new
 */
export async function enterCommit(
  connection: Connection,
  instanceId: string,
  count: number,
): Promise<Entered> {
  await lockCommits(connection);
  const [row] = await connection.query<{
    seqs: string[];
    at: number;
    transaction: string;
    isOut: boolean | null;
    migrations: number[];
    hasNews: boolean;
    smallSeq: number | null;
  }>(ENTER, [instanceId, count]);
  if (row === undefined) throw new Error('a SELECT without FROM has one row');
  connection.transactionId = row.transaction;
  checkKnown(connection.name, row.migrations);
  if (row.isOut === null) throw new NotRegistered();
  if (row.isOut) throw shutOut(connection.name);
  const { at, hasNews, smallSeq } = row;
  return { seqs: row.seqs.map(Number), at, hasNews, smallSeq: smallSeq ?? 0 };
}

export function shutOut(name: string): Failure {
  return new Failure(
    'folder_in_use',
    `this process was shut out of ${name}, since it did not stop when it was asked to`,
    {
      fix: 'start it again',
    },
  );
}
