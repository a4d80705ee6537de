import type { Edit } from '../edit.ts';
import { Failure } from '../failure.ts';

/**
 * Makes sure that rows are as they were read, but for sales: those are no edits.
 *
 * @param since the edits since they were read
 * @throws Failure changed_since
 */
export function checkNotEdited(
  kind: 'user' | 'item',
  names: ReadonlySet<string>,
  since: Iterable<Edit>,
): void {
  for (const edit of since) {
    if (edit.kind !== kind) continue;
    const name = edit.kind === 'user' ? edit.user : edit.item;
    if (!names.has(name)) continue;
    throw new Failure('changed_since', `${kind} ${name} was changed by another edit at the same time`, {
      fix: 'try again',
    });
  }
}
