import type { Command } from 'commander';
import { openStore } from '../../compose.ts';
import { checkWhy } from '../../domain/edit.ts';
import { describe } from '../help.ts';
import { nameGiven, takingName } from '../named.ts';
import { printNotice } from '../output/store-notices.ts';
import { wholeNumber } from '../parse.ts';
import type { Session } from '../session.ts';
import { WHY, type WhyFlag } from './why.ts';

interface UndoFlags extends WhyFlag {
  user?: string;
  item?: string;
  edit?: string;
  dryRun?: true;
}

/** `user undo` and `inventory undo`. */
export function registerUndo(noun: Command, session: Session, table: 'users' | 'inventory'): void {
  const [flag, what, row] =
    table === 'users' ? (['--user', 'user', 'users'] as const) : (['--item', 'item', 'items'] as const);
  const command = `orderctl ${noun.name()} undo`;
  const stock =
    table === 'users' ? '' : 'A quantity is reverted by its difference, so later sales are kept. ';
  takingName(
    describe(noun.command('undo'), {
      summary: 'undo an edit',
      prose:
        `Undoes the last edit of the ${row}, or the one with the number --edit in "orderctl ${noun.name()} log": ` +
        `a command, or all rows of an import or of a save of the file. The undo is an edit itself, and can be undone too. ${stock}` +
        `Refused if stock would go below zero (2), or if a value that the edit changed was changed again since (4).`,
      examples: [
        [command, 'the last edit'],
        [`${command} --edit 17 --why mistake`, 'an earlier one, such as an import'],
      ],
    }),
    flag,
    `only this ${what} of the edit`,
  )
    .option('--edit <N>', 'number of the edit in the log')
    .option('--dry-run', 'show what would change; change nothing')
    .option(...WHY)
    .action(async (given: string | undefined, flags: UndoFlags) => {
      const { why, edit } = flags;
      if (why !== undefined) checkWhy(why);
      const number = edit === undefined ? null : wholeNumber('--edit', edit, { min: 1 });
      const name = nameGiven(flag, given, flags.user ?? flags.item) ?? null;
      const [{ asMerge, printMerge }, { previewUndo, undoEdit }] = await Promise.all([
        import('./print-merge.ts'),
        import('../../app/tables/undo.ts'),
      ]);
      const { printer } = session;
      const access = await openStore(session.settings);
      if (flags.dryRun === true) {
        const { undoes, edits } = await previewUndo(access, { table, number, name });
        await printMerge(session, { table, merge: asMerge(edits), more: { undoes, dry_run: true } });
        printer.info(`nothing changed; omit --dry-run to undo edit ${undoes}`);
        return;
      }
      const { undoes, puttingBack, merge } = await undoEdit(access, {
        table,
        number,
        name,
        why,
        onNotice: (notice) => printNotice(printer, notice),
      });
      await printMerge(session, { table, merge, more: { undoes, dry_run: false } });
      printer.info(
        puttingBack === null
          ? `undid edit ${undoes}; another undo restores it, --edit N undoes others`
          : `undid edit ${undoes}, which had undone edit ${puttingBack}: edit ${puttingBack} applies again`,
      );
    });
}
