import type { Command } from 'commander';
import type { EditRequest } from '../../domain/edit.ts';
import { openStore } from '../../compose.ts';
import { describe } from '../help.ts';
import { printNotice } from '../output/store-notices.ts';
import { editDocument, editLine } from '../output/table-rows.ts';
import type { Session } from '../session.ts';
import type { EditedTable, EditOptions } from './edit-in-editor.ts';

export const BESIDE = 'Works beside a running consumer too, and counts from its next batch.';

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

/** `user edit` and `inventory edit`. */
export function registerEdit(noun: Command, session: Session, table: EditedTable): void {
  const command = `orderctl ${noun.name()} edit`;
  const deltas = table === 'inventory' ? 'A quantity counts as the difference that you make to it; of' : 'Of';
  describe(noun.command('edit'), {
    summary: `edit ${table}.csv in an editor, safely beside a running consumer`,
    prose:
      `Opens the table as CSV in $VISUAL or $EDITOR, or in --with PROGRAM, and takes your changes over when the ` +
      `editor is closed. It is a copy, and what it was made from is kept with it: nothing is locked, orders go on, and ` +
      `what is sold meanwhile is not counted twice. ${deltas} other cells the changed one wins; rows that are not there ` +
      `any more are removed. An editor that returns at once needs its flag to wait, as in --with 'code --wait'.\n\n` +
      'A mistake is named with its line, and the copy is opened again; without a terminal that ends with 6, and the ' +
      'copy is kept for --resume.\n\n' +
      `This is the sure way to settle ${table === 'users' ? 'a' : 'an'} ${table}.csv that that was kept aside as ${table}.csv….conflict: look at that file, ` +
      'make its changes here, and remove it, or have it removed by --settled.\n\n' +
      'Under -o json the answer counts added, changed and removed rows; "edits" has the first of them, "clamped" what ' +
      'would have gone below zero and is 0 now, "settled" the files that --settled removed.',
    examples: [
      [command, 'in your editor'],
      [`${command} --with nano`, 'in another one'],
      [`${command} --with ./prices.sh`, 'by a program that gets the path of the file'],
      [`${command} --settled`, 'with the changes of what was kept aside, which is then removed'],
    ],
  })
    .option('--with <PROGRAM>', 'the editor: a command line that gets the path of the file')
    .option('--resume <FILE>', 'go on with a copy that was kept')
    .option('--settled', 'remove what was kept aside of this table, once the edit is taken in')
    .action(async (options: EditOptions) => {
      const { editTable } = await import('./edit-in-editor.ts');
      await editTable(session, { table, command }, options);
    });
}
