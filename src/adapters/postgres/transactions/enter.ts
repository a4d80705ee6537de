import { Failure } from '../../../domain/failure.ts';
import type { Connection } from '../connection.ts';
import { checkKnown } from '../migrations/known.ts';
import { lockCommits, NOW } from './seq.ts';

/** The row of this process was removed: it did not renew it in time, for example because it was asleep. */
export class NotRegistered extends Error {}

/** What a process knows once it has the lock of commits. */
export interface Entered {
  /** The numbers of its transactions. */
  readonly seqs: readonly number[];
  /** Their time, as NOW. */
  readonly at: number;
  /** The last number that this process has committed before, as the database has it; null: none. */
  readonly lastSeq: number | null;
  /** The commit of the last change of a small table. */
  readonly smallSeq: number;
  /** There are edits by other processes that this one must apply. */
  readonly hasNews: boolean;
}

/**
 * Stores a number by which the process can find out whether its own commit exists: a server that lacks the commit
 * lacks the number. What this statement reads is the state before it.
 *
 * Edits are applied by a process that announces them, if there is one, even if it is silent: it announces them when
 * it wakes. The last two columns use edits_news and small_tables_changed.
 */
const ENTER = `WITH numbers AS MATERIALIZED (SELECT nextval('orderctl.commit_seq') AS seq FROM generate_series(1, $2)),
  leaves AS (
    INSERT INTO orderctl.instance_commits (instance, seq)
      SELECT id, (SELECT max(seq) FROM numbers) FROM orderctl.instances WHERE id = $1
    ON CONFLICT (instance) DO UPDATE SET (seq, at) = (EXCLUDED.seq, EXCLUDED.at))
  SELECT ARRAY(SELECT seq FROM numbers) AS seqs, ${NOW} AS at,
  (SELECT seq FROM orderctl.instance_commits WHERE instance = $1) AS "lastSeq",
  pg_current_xact_id()::text AS transaction,
  (SELECT is_out FROM orderctl.instances WHERE id = $1) AS "isOut",
  ARRAY(SELECT number FROM orderctl.migrations) AS migrations,
  EXISTS (SELECT FROM orderctl.edits WHERE is_news)
    AND NOT EXISTS (SELECT FROM orderctl.instances WHERE announces AND NOT is_out
      AND NOT (SELECT announces FROM orderctl.instances WHERE id = $1)) AS "hasNews",
  (SELECT max(seq) FROM orderctl.small_tables) AS "smallSeq"`;

const IS_THERE = 'SELECT FROM orderctl.instance_commits WHERE instance = $1 AND seq >= $2';

/**
 * Takes the lock of commits. Here a process learns what was decided about it meanwhile: one that was shut out, or
 * slept while another process owned the store alone, or is older than the tables, commits nothing.
 *
 * @throws NotRegistered; Failure folder_in_use (it was shut out), store_too_new
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
    lastSeq: number | null;
    isOut: boolean | null;
    migrations: number[];
    hasNews: boolean;
    smallSeq: number | null;
  }>(ENTER, [instanceId, count]);
  if (row === undefined) throw new Error('a SELECT without FROM has one row');
  const seqs = row.seqs.map(Number);
  connection.trace = {
    id: row.transaction,
    isThere: async (queries) => (await queries.query(IS_THERE, [instanceId, seqs.at(-1)])).length > 0,
  };
  checkKnown(connection.name, row.migrations);
  if (row.isOut === null) throw new NotRegistered();
  if (row.isOut) throw shutOut(connection.name);
  const { at, hasNews, lastSeq, smallSeq } = row;
  return { seqs, at, hasNews, lastSeq, smallSeq: smallSeq ?? 0 };
}

export function shutOut(name: string): Failure {
  return new Failure(
    'folder_in_use',
    `this process was shut out of ${name}, because it did not stop when asked to`,
    {
      fix: 'start it again',
    },
  );
}
