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

/** What a terminal shows. */
const ON_A_TERMINAL = 50;

/** `user log` and `inventory log`. */
export function registerLog(noun: Command, session: Session, table: 'users' | 'inventory'): void {
  const command = `orderctl ${noun.name()} log`;
  const [flag, what, example] =
    table === 'users' ? (['--user', 'user', 'bob'] as const) : (['--item', 'item', 'pen'] as const);
  const stock =
    table === 'users'
      ? ''
      : 'SOLD and DELIVERED are what went out and came in of the item between its edit before and this one. ';
  const named = takingName(
    describe(noun.command('log'), {
      summary: `every edit: when, how, by whom, why, before and after`,
      isTable: true,
      prose:
        `Lists edits of the ${table === 'users' ? 'users' : 'items'}, the latest last. Rows that were changed together, by an ` +
        `import or a save of the file, have one number, by which "orderctl ${noun.name()} undo" takes them back. ${stock}` +
        'On a terminal the latest 50 rows are shown unless --limit says otherwise, and what a narrow one has no room for is ' +
        'left out: -o csv has it whole.',
      examples: [
        [`${command} ${example}`, `all that was done to one ${what}`],
        [`${command} --since 7d -o csv`, 'a week, for a spreadsheet'],
      ],
    }),
    flag,
    `only edits of this ${what}`,
  );
  takingTimes(named, 'made')
    .option('--limit <N>', 'the latest so many rows')
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
