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
  const stock = table === 'users' ? '' : 'Stock counts as the difference, so that sales since are kept. ';
  takingName(
    describe(noun.command('undo'), {
      summary: 'take an edit back',
      prose:
        `Takes back the last edit of the ${row}, or the one that --edit names by its number in "orderctl ${noun.name()} log": ` +
        `a command, a save of the file or an import as a whole. That is an edit of its own, and can be taken back too. ${stock}` +
        `Refused where it would take stock below zero (2), and where what it changed was changed again (4).`,
      examples: [
        [command, 'the last edit'],
        [`${command} --edit 17 --why mistake`, 'an import, say'],
      ],
    }),
    flag,
    `only this ${what} of the edit`,
  )
    .option('--edit <N>', 'its number in the log')
    .option('--dry-run', 'show what would change, and change nothing')
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
        printer.info(`nothing changed; leave out --dry-run to take edit ${undoes} back`);
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
          ? `edit ${undoes} was taken back; another undo puts it back, --edit N takes back others`
          : `edit ${undoes}, which took back edit ${puttingBack}, was taken back: edit ${puttingBack} is in force again`,
      );
    });
}
