import type { ConditionalEdit, EditConditions, RowRequest } from '../../../domain/edits/conditional.ts';
import type { Edit, EditRequest } from '../../../domain/edit.ts';
import { Failure } from '../../../domain/failure.ts';
import type { OwnOptions, RunningConsumer } from '../../../ports/owner.ts';
import type { TableMerge } from '../../../ports/table-copy.ts';
import type { EditFrom, MergeFrom } from '../logs/edit-line.ts';
import type { FileStore } from '../store.ts';
import type { TableName } from '../tables/columns.ts';

/** A request to an owner on the folder's socket. */
export type SocketRequest =
  | ({ readonly kind: 'edit'; readonly request: EditRequest } & EditFrom)
  /** Answered by a ConditionalEdit. */
  | ({
      readonly kind: 'edit_if';
      readonly request: RowRequest;
      readonly conditions: EditConditions;
    } & EditFrom)
  /** Answered by a TableMerge. `copy` is the name of its directory. */
  | ({ readonly kind: 'merge'; readonly table: TableName; readonly copy: string } & MergeFrom)
  /** Answered by a RunningConsumer; by null when the owner is not a consumer. */
  | { readonly kind: 'status' }
  /** Answered by whether the owner is a consumer, which then stops. */
  | { readonly kind: 'stop' };

export type Answer = Edit | ConditionalEdit | TableMerge | RunningConsumer | boolean | null;

/**
 * @param options of the owner
 * @param opened its store; a request may arrive before it is open
 * @returns the handler for requests of other processes
 */
export function answering(
  folder: string,
  options: OwnOptions,
  opened: Promise<FileStore>,
  startedAt: number,
): (request: unknown) => Promise<Answer> {
  return async (asked) => {
    const request = asked as SocketRequest;
    switch (request.kind) {
      case 'status':
        return options.status === undefined
          ? null
          : { pid: process.pid, startedAt, status: options.status() };
      case 'stop':
        options.onStop?.();
        return options.onStop !== undefined;
      case 'edit': {
        const edit = await (await opened).edit(request.request, fromOf(request));
        options.onNotice({ kind: 'edit_taken_in', edit });
        return edit;
      }
      case 'edit_if': {
        const made = await (await opened).editIf(request.request, request.conditions, fromOf(request));
        if (!made.isRepeat) options.onNotice({ kind: 'edit_taken_in', edit: made.edit });
        return made;
      }
      case 'merge': {
        const { table, copy, unlessEdited } = request;
        const merge = await (await opened).mergeCopy(table, copy, { ...fromOf(request), unlessEdited });
        const rows = merge.added + merge.changed + merge.removed;
        if (rows > 0) options.onNotice({ kind: 'copy_taken_in', file: `${table}.csv`, rows });
        return merge;
      }
      default:
        // Sent by another version of orderctl.
        throw new Failure('invalid_input', `the owner of ${folder} does not know this request`, {
          fix: 'run the same version of orderctl as the consumer',
        });
    }
  };
}

function fromOf({ by, via, why, undoes }: EditFrom): EditFrom {
  return { by, via, why, undoes };
}
