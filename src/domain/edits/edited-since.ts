import type { Edit } from '../edit.ts';
import { Failure } from '../failure.ts';

/**
 * Checks that no edit has changed the rows since they were read. Sales do not count: they are not edits.
 *
 * @param since the edits made since the rows were read
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
