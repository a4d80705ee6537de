import type { EditRequest } from '../domain/edit.ts';
import { openStore } from '../compose.ts';
import { printNotice } from './render/notices.ts';
import { editDocument, editLine } from './render/rows.ts';
import type { Session } from './session.ts';

/** Makes one edit and prints its answer. @throws Failure of decideEdit and of the store */
export async function makeEdit(session: Session, request: EditRequest): Promise<void> {
  const { printer } = session;
  const access = await openStore(session.settings.storage);
  const edit = await access.edit(request, {
    via: 'command',
    onNotice: (notice) => printNotice(printer, notice),
  });
  if (edit.kind !== 'user' && edit.kind !== 'item')
    throw new Error(`the store answered an edit of a table with ${edit.kind}`);
  await printer.data(`${session.isJson ? JSON.stringify(editDocument(edit)) : editLine(edit)}\n`);
}

/** Writes `{"users":[…]}` entry by entry: a table may be large. */
export async function printJsonList(
  session: Session,
  key: string,
  entries: readonly object[],
): Promise<void> {
  const { printer } = session;
  await printer.data(`{${JSON.stringify(key)}:[`);
  for (let from = 0; from < entries.length; from += 1_000) {
    const chunk = entries.slice(from, from + 1_000).map((entry) => JSON.stringify(entry));
    await printer.data(`${from === 0 ? '' : ','}${chunk.join(',')}`);
  }
  await printer.data(']}\n');
}
