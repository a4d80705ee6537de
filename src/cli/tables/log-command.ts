import type { Command } from 'commander';
import type { EditedRow } from '../../app/tables/edit-log.ts';
import { systemClock } from '../../compose.ts';
import { describe } from '../help.ts';
import { nameGiven, takingName } from '../named.ts';
import { takingTimes, timeRange, wholeNumber, type TimeFlags } from '../parse.ts';
import type { Session } from '../session.ts';
import { openStoreOf } from '../store.ts';

interface LogFlags extends TimeFlags {
  user?: string;
  item?: string;
  limit?: string;
}

/** Rows, without --limit. */
const ON_A_TERMINAL = 50;

/** `user log` and `inventory log`. */
export function registerLog(noun: Command, session: Session, table: 'users' | 'inventory'): void {
  const command = `orderctl ${noun.name()} log`;
  const [flag, what, example] =
    table === 'users' ? (['--user', 'user', 'bob'] as const) : (['--item', 'item', 'pen'] as const);
  const stock =
    table === 'users'
      ? ''
      : 'SOLD and DELIVERED are the quantities of the item sold and delivered since its previous edit. ';
  const named = takingName(
    describe(noun.command('log'), {
      summary: 'list the edits: when, how, by whom, why, before and after',
      isTable: true,
      prose:
        `Lists edits of the ${table === 'users' ? 'users' : 'items'}, the latest last. Rows that were changed together, by an ` +
        `import or a save of the file, share a number, which "orderctl ${noun.name()} undo" accepts. ${stock}` +
        'A terminal shows the latest 50 rows, or --limit, and omits columns that do not fit; -o csv has all of them.',
      examples: [
        [`${command} ${example}`, `every edit of one ${what}`],
        [`${command} --since 7d -o csv`, 'the last week, for a spreadsheet'],
      ],
    }),
    flag,
    `only edits of this ${what}`,
  );
  takingTimes(named, 'made')
    .option('--limit <N>', 'only the latest N rows')
    .action(async (given: string | undefined, flags: LogFlags) => {
      const name = nameGiven(flag, given, flags.user ?? flags.item) ?? null;
      await printLog(session, table, { name, flags });
    });
}

async function printLog(
  session: Session,
  table: 'users' | 'inventory',
  { name, flags }: { name: string | null; flags: LogFlags },
): Promise<void> {
  const { sinceMs, untilMs } = timeRange(flags, systemClock.now());
  const most = session.printer.isDataLive && !session.isJson && !session.isCsv ? ON_A_TERMINAL : Infinity;
  const limit = flags.limit === undefined ? most : wholeNumber('--limit', flags.limit, { min: 1 });
  const [{ printEditLog }, { readEditLog }] = await Promise.all([
    import('./edit-log.ts'),
    import('../../app/tables/edit-log.ts'),
  ]);
  await using reader = await (await openStoreOf(session)).read();
  const rows = (await readEditLog(reader, table)).filter(({ edit }: EditedRow) => {
    if (name !== null && (edit.kind === 'user' ? edit.user : edit.item) !== name) return false;
    return (sinceMs === null || edit.at >= sinceMs) && (untilMs === null || edit.at < untilMs);
  });
  const from = Math.max(0, rows.length - limit);
  await printEditLog(session, table, { rows: rows.slice(from), earlier: rows.slice(0, from) });
}
