import type { Command } from 'commander';
import { checkWhy, decideEdit, type EditRequest } from '../../domain/edit.ts';
import { openStore } from '../../compose.ts';
import { confirm } from '../ask.ts';
import { describe } from '../help.ts';
import { printNotice } from '../output/store-notices.ts';
import { editLine } from '../output/table-rows.ts';
import { editDocument } from '../../documents/write/table.ts';
import type { Session } from '../session.ts';
import type { EditedTable, EditOptions } from './edit-in-editor.ts';
import { WHY, type WhyFlag } from './why.ts';

export const BESIDE = 'Works while a consumer runs, and applies from its next batch.';

/** Makes one edit and prints the result. @throws Failure of decideEdit and of the store */
export async function makeEdit(session: Session, request: EditRequest, { why }: WhyFlag): Promise<void> {
  const { printer } = session;
  if (why !== undefined) checkWhy(why);
  const access = await openStore(session.settings);
  const edit = await access.edit(request, {
    via: 'command',
    why,
    onNotice: (notice) => printNotice(printer, notice),
  });
  if (edit.kind !== 'user' && edit.kind !== 'item')
    throw new Error(`the store returned ${edit.kind} for an edit of a table`);
  await (session.isJson
    ? printer.data(`${JSON.stringify(editDocument(edit))}\n`)
    : printer.text(`${editLine(edit)}\n`));
}

type RemoveRequest = Extract<EditRequest, { kind: 'user.remove' | 'item.remove' }>;

/** Removes a row after a confirmation. @throws Failure not_found before it asks, usage, and those of makeEdit */
export async function removeRow(
  session: Session,
  request: RemoveRequest,
  { question, yes = false, why }: WhyFlag & { readonly question: string; readonly yes?: boolean },
): Promise<void> {
  if (!yes) await checkRemoval(session, request);
  if (await confirm(question, yes)) await makeEdit(session, request, why === undefined ? {} : { why });
  else session.printer.info('nothing changed');
}

async function checkRemoval({ settings }: Session, request: RemoveRequest): Promise<void> {
  await using reader = await (await openStore(settings)).read();
  const user = request.kind === 'user.remove' ? await reader.userNamed(request.user) : undefined;
  const item = request.kind === 'item.remove' ? await reader.itemNamed(request.item) : undefined;
  decideEdit(request, { user: () => user, item: () => item });
}

/** `user edit` and `inventory edit`. */
export function registerEdit(noun: Command, session: Session, table: EditedTable): void {
  const command = `orderctl ${noun.name()} edit`;
  const isStock = table === 'inventory';
  const stock = isStock
    ? 'A quantity counts as the difference from the original, so sales made meanwhile are kept; in all other cells '
    : 'In all cells ';
  describe(noun.command('edit'), {
    summary: `edit ${table}.csv in an editor, safely while a consumer runs`,
    prose:
      `Opens a copy of the table as CSV in $VISUAL or $EDITOR, or in --with PROGRAM, and merges your changes when the ` +
      `editor closes. Nothing is locked meanwhile, and orders continue to be processed. ` +
      `${stock}your change wins. Rows that you delete are removed, after a confirmation if they are more than half ` +
      `(--yes skips it). An editor that returns at once needs a flag to wait, as in --with 'code --wait'.\n\n` +
      'An invalid cell is reported with its line, and the copy is opened again; without a terminal the exit code is 6, ' +
      'and the copy is kept for --resume.\n\n' +
      `Use this to settle ${isStock ? 'an' : 'a'} ${table}.csv that was set aside as ${table}.csv….conflict: read that file, ` +
      'make its changes here, and then delete it, or let --settled delete it.\n\n' +
      'With -o json the answer counts the added, changed and removed rows; "edits" lists the first of them, ' +
      `${isStock ? '"clamped" the items that would have gone below zero and are set to 0, ' : ''}"settled" the files ` +
      'that --settled removed.',
    examples: [
      [command, 'in your editor'],
      [`${command} --settled`, 'with the changes of a file that was set aside, which is then deleted'],
    ],
  })
    .option('--with <PROGRAM>', 'the editor: a command line, to which the path of the file is added')
    .option('--resume <FILE>', 'continue with a copy that was kept')
    .option('-y, --yes', 'do not ask before more than half of the rows are removed')
    .option('--settled', 'delete the files of this table that were set aside, once the edit is merged')
    .option(...WHY)
    .action(async (options: EditOptions) => {
      const { editTable } = await import('./edit-in-editor.ts');
      await editTable(session, { table, command }, options);
    });
}
