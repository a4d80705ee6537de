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

export const BESIDE = 'Works beside a running consumer too, and counts from its next batch.';

/** Makes one edit and prints its answer. @throws Failure of decideEdit and of the store */
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
    throw new Error(`the store answered an edit of a table with ${edit.kind}`);
  await (session.isJson
    ? printer.data(`${JSON.stringify(editDocument(edit))}\n`)
    : printer.text(`${editLine(edit)}\n`));
}

type RemoveRequest = Extract<EditRequest, { kind: 'user.remove' | 'item.remove' }>;

/** Asks before a row is removed. @throws Failure not_found before that, usage, and of makeEdit */
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
    ? ', and what is sold in the meantime is not counted twice. A quantity counts as the difference that you make to it. '
    : '. ';
  describe(noun.command('edit'), {
    summary: `edit ${table}.csv in an editor, safely beside a running consumer`,
    prose:
      `Opens the table as CSV in $VISUAL or $EDITOR, or in --with PROGRAM, and takes your changes over when the ` +
      `editor is closed. It is a copy, and what it was made from is kept with it: nothing is locked, and orders continue to be processed` +
      `${stock}In ${isStock ? 'other' : 'all'} cells your change wins; rows that you delete ` +
      `are removed, after a question if they are more than half (--yes answers it). An editor that returns at once needs its flag to wait, as in --with 'code --wait'.\n\n` +
      'A mistake is named with its line, and the copy is opened again; without a terminal that ends with 6, and the ' +
      'copy is kept for --resume.\n\n' +
      `This is the sure way to settle ${isStock ? 'an' : 'a'} ${table}.csv that was kept aside as ${table}.csv….conflict: look at that file, ` +
      'make its changes here, and remove it, or have it removed by --settled.\n\n' +
      'Under -o json the answer counts the added, changed and removed rows; "edits" lists the first of them, ' +
      `${isStock ? '"clamped" the items that would have gone below zero and are set to 0, ' : ''}"settled" the files ` +
      'that --settled removed.',
    examples: [
      [command, 'in your editor'],
      [`${command} --settled`, 'with the changes of what was kept aside, which is then removed'],
    ],
  })
    .option('--with <PROGRAM>', 'the editor: a command line that gets the path of the file')
    .option('--resume <FILE>', 'continue with a copy that was kept')
    .option('-y, --yes', 'do not ask before most rows are removed')
    .option('--settled', 'remove what was kept aside of this table, once the edit is taken in')
    .option(...WHY)
    .action(async (options: EditOptions) => {
      const { editTable } = await import('./edit-in-editor.ts');
      await editTable(session, { table, command }, options);
    });
}
