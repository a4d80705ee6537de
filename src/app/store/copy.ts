import { Failure } from '../../domain/failure.ts';
import type { StoreAdmin } from '../../ports/whole/store-admin.ts';
import { wholeTransactions } from '../../ports/whole/store-copy.ts';

/** How often what was changed meanwhile is fetched before giving up: edits are rare. */
const MOST_ROUNDS = 20;

export interface CopiedStore {
  readonly storeId: string;
  /** Lines of history that this run has added. */
  readonly lines: number;
  /** It went on with a copy that was interrupted. */
  readonly isContinued: boolean;
}

/**
 * Copies a store that nothing runs on: history with its numbers, tables, positions, effects and what waits to be sent. In the end
 * the source is sealed, so that one shop is not worked in two places. Interrupted anywhere, it goes on when it is run again.
 *
 * @param onLines how many were added so far
 * @throws Failure of `source` and `target` of StoreAdmin
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
  throw new Error(`${from.name} is changed all the time`);
}

function interrupted(lines: number): Failure {
  return new Failure('interrupted', `interrupted after ${lines} lines of history`, {
    fix: 'run it again: it goes on from there',
  });
}
