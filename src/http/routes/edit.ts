import { checkWhy, type EditRequest } from '../../domain/edit.ts';
import type { TableEdit } from '../../documents/write/table.ts';
import type { Shop } from '../shop.ts';

/** Makes an edit as the commands do: the same rules, logged as made over HTTP. @throws Failure of decideEdit and of the store */
export async function makeEdit(
  { access, onNotice }: Pick<Shop, 'access' | 'onNotice'>,
  request: EditRequest,
  why: string | undefined,
): Promise<TableEdit> {
  if (why !== undefined) checkWhy(why);
  const edit = await access.edit(request, { via: 'http', why, onNotice });
  if (edit.kind === 'user' || edit.kind === 'item') return edit;
  throw new Error(`the store answered an edit of a table with ${edit.kind}`);
}
