import { Failure } from '../../domain/failure.ts';
import type { StoreAdmin } from '../../ports/whole/store-admin.ts';
import { wholeTransactions } from '../../ports/whole/store-copy.ts';

/** How many times changes made during the copy are fetched before giving up: edits are rare. */
const MOST_ROUNDS = 20;

export interface CopiedStore {
  readonly storeId: string;
  /** Lines of history that this run added. */
  readonly lines: number;
  /** Whether it resumed an interrupted copy. */
  readonly isContinued: boolean;
}

/**
 * Copies a store that no process is running on: history with its numbers, tables, positions, effects and unsent
 * messages. At the end the source is sealed, so that a shop is not run in two places. An interrupted copy resumes when
 * it is run again.
 *
 * @param onLines receives the number of lines added so far
 * @throws Failure as StoreAdmin.source and StoreAdmin.target
 */
export async function copyStore(
  from: StoreAdmin,
  to: StoreAdmin,
  { onLines, signal }: { onLines: (lines: number) => void; signal: AbortSignal },
): Promise<CopiedStore> {
  await using source = await from.source(to.name);
  const { storeId } = source;
  await using target = await to.target({ storeId, from: from.name, factLogs: await source.factLogs() });
  let { after } = target;
  const isContinued = after > 0;
  let lines = 0;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    for await (const batch of wholeTransactions(source.history(), after)) {
      if (signal.aborted) throw interrupted(lines);
      await target.add(batch);
      after = batch.at(-1)?.seq ?? 0;
      lines += batch.length;
      onLines(lines);
    }
    await target.finish(await source.rest());
    if (!(await source.seal(to.name))) continue;
    await target.open();
    return { storeId, lines, isContinued };
  }
  throw new Error(`${from.name} keeps changing`);
}

function interrupted(lines: number): Failure {
  return new Failure('interrupted', `interrupted after ${lines} lines of history`, {
    fix: 'run the same command again: it resumes from there',
  });
}
