import type { Command } from 'commander';
import { Failure } from '../../../domain/failure.ts';
import { USER_STATUSES, type User } from '../../../domain/tables.ts';
import { describe, offering } from '../../help.ts';
import { userEntry } from '../../../documents/write/table.ts';
import type { Column } from '../../output/table.ts';
import { extraColumns, printList, printTable } from '../../output/print-table.ts';
import { nameGiven, takingName } from '../../named.ts';
import { takingMoment, userStatus } from '../../parse.ts';
import { pastOf } from '../../tables/past.ts';
import type { Session } from '../../session.ts';
import { openStoreOf } from '../../store.ts';

interface ShowFlags {
  user?: string;
  status?: string;
  sort?: true;
  at?: string;
  timeZone?: string;
}

export function registerShow(user: Command, session: Session): void {
  const command = takingName(
    describe(user.command('show'), {
      alias: 'list',
      summary: 'show all users, or one',
      isTable: true,
      prose:
        'Shows the users in the order of users.csv. With --user, shows only that one; exit code 3 if it does not exist. ' +
        'With --at, shows the users as of that time, in the order in which they were added.',
      examples: [['orderctl user show --user alice -o json', 'one user, for a script']],
    }),
    '--user',
    'only this user',
  )
    .addOption(offering('--status <STATUS>', 'only users who are paid, or unpaid', USER_STATUSES))
    .option('--sort', 'sort by name');
  takingMoment(command, 'the users').action(async (given: string | undefined, flags: ShowFlags) => {
    await showUsers(session, nameGiven('--user', given, flags.user), flags);
  });
}

const COLUMNS: readonly Column<User>[] = [
  { title: 'USER', cell: (row) => row.user },
  { title: 'STATUS', cell: (row) => row.status },
];

async function showUsers(session: Session, only: string | undefined, flags: ShowFlags): Promise<void> {
  const status = flags.status === undefined ? null : userStatus('--status', flags.status);
  const access = await openStoreOf(session);
  await using reader = await access.read();
  const past = await pastOf(session, reader, flags);
  const all = past === null ? await reader.users() : past.users;
  const named = only === undefined ? [...all] : [...all].filter((row) => row.user === only);
  if (only !== undefined && named.length === 0) {
    throw new Failure('not_found', `user ${only} ${past === null ? 'does' : 'did'} not exist`, {
      fix: 'see: orderctl user show',
    });
  }
  const users = status === null ? named : named.filter((row) => row.status === status);
  if (flags.sort) users.sort((a, b) => (a.user < b.user ? -1 : 1));
  const extra = extraColumns(users);
  const columns = ['user', 'status', ...extra.map(({ title }) => title)];
  if (await printList(session, { key: 'users', rows: users, entry: userEntry, columns })) return;
  if (users.length === 0) {
    session.printer.info(
      named.length > 0
        ? `no user ${past === null ? 'is' : 'was'} ${status ?? 'there'}`
        : past !== null
          ? 'there were no users'
          : 'no users yet; add one with: orderctl user add --user alice --status paid',
    );
    return;
  }
  await printTable(session.printer, users, [...COLUMNS, ...extra]);
}
