import type { Command } from 'commander';
import { openStore } from '../../../compose.ts';
import { Failure } from '../../../domain/failure.ts';
import type { User } from '../../../domain/tables.ts';
import { confirm } from '../../ask.ts';
import { makeEdit, printJsonList, registerEdit } from '../../tables/edit-command.ts';
import { describe } from '../../help.ts';
import { nameOf, userStatus } from '../../parse.ts';
import { printNotice } from '../../output/store-notices.ts';
import { userEntry } from '../../output/table-rows.ts';
import type { Column } from '../../output/table.ts';
import { printTable, extraColumns } from '../../output/print-table.ts';
import type { Session } from '../../session.ts';

const BESIDE = 'Works beside a running consumer too, and counts from its next batch.';

export function register(program: Command, session: Session): void {
  const user = describe(program.command('user'), {
    summary: 'users and whether they have paid',
    prose:
      'Adds, changes, removes and shows users. Orders of a user who is not paid, or not known, are rejected. ' +
      'The users are kept in users.csv, which may be edited by hand as well.',
    examples: [
      ['orderctl user add --user alice --status paid', 'add a user'],
      ['orderctl user show', 'all users'],
    ],
  });
  registerAdd(user, session);
  registerUpdate(user, session);
  registerRemove(user, session);
  registerEdit(user, session, 'users');
  registerShow(user, session);
}

function registerAdd(user: Command, session: Session): void {
  describe(user.command('add'), {
    summary: 'add a user',
    prose: `Adds a user. Exit code 4 if the user exists already. ${BESIDE}`,
    examples: [
      ['orderctl user add --user alice --status paid', 'a user who may order'],
      ['orderctl user add --user bob --status unpaid', 'a user whose orders are rejected'],
    ],
  })
    .requiredOption('--user <NAME>', 'name of the user')
    .requiredOption('--status <STATUS>', 'paid or unpaid')
    .action(async (options: { user: string; status: string }) => {
      const name = nameOf('--user', options.user);
      const status = userStatus('--status', options.status);
      await makeEdit(session, { kind: 'user.add', user: name, status });
    });
}

function registerUpdate(user: Command, session: Session): void {
  describe(user.command('update'), {
    summary: 'change the status of a user',
    prose:
      `Changes the status of a user. Exit code 3 if there is no such user. ${BESIDE} Orders that were rejected ` +
      'stay rejected: "orderctl replay --rejected --as-new" sends them again under new ids.',
    examples: [['orderctl user update --user bob --status paid', 'bob has paid']],
  })
    .requiredOption('--user <NAME>', 'name of the user')
    .requiredOption('--status <STATUS>', 'paid or unpaid')
    .action(async (options: { user: string; status: string }) => {
      const status = userStatus('--status', options.status);
      await makeEdit(session, { kind: 'user.update', user: options.user, status });
    });
}

function registerRemove(user: Command, session: Session): void {
  describe(user.command('remove'), {
    summary: 'remove a user',
    prose:
      'Removes a user; what was decided for the user stays. Asks first; --yes answers, and without a terminal ' +
      `it is needed. Exit code 3 if there is no such user. ${BESIDE}`,
    examples: [['orderctl user remove --user bob --yes', 'without a question']],
  })
    .requiredOption('--user <NAME>', 'name of the user')
    .option('--yes', 'do not ask')
    .action(async (options: { user: string; yes?: true }) => {
      const isSure = await confirm(`Remove user ${options.user}?`, options.yes === true);
      if (isSure) await makeEdit(session, { kind: 'user.remove', user: options.user });
      else session.printer.info('nothing changed');
    });
}

function registerShow(user: Command, session: Session): void {
  describe(user.command('show'), {
    summary: 'show all users, or one',
    prose:
      'Shows the users as they are now, in the order of users.csv. With --user only that one; exit code 3 if there is no such user.',
    examples: [
      ['orderctl user show', 'a table'],
      ['orderctl user show --user alice -o json', 'one user, for a script'],
    ],
  })
    .option('--user <NAME>', 'only this user')
    .action(async (options: { user?: string }) => {
      await showUsers(session, options.user);
    });
}

const COLUMNS: readonly Column<User>[] = [
  { title: 'USER', cell: (row) => row.user },
  { title: 'STATUS', cell: (row) => row.status },
];

async function showUsers(session: Session, only: string | undefined): Promise<void> {
  const access = await openStore(session.settings.storage);
  await using reader = await access.read({
    onNotice: (notice) => printNotice(session.printer, notice),
  });
  const all = await reader.users();
  const users = only === undefined ? [...all] : [...all].filter((row) => row.user === only);
  if (only !== undefined && users.length === 0) {
    throw new Failure('not_found', `user ${only} does not exist`, { fix: 'see: orderctl user show' });
  }
  if (session.isJson) {
    await printJsonList(session, 'users', users.map(userEntry));
    return;
  }
  if (users.length === 0) {
    session.printer.info('no users yet; add one with: orderctl user add --user alice --status paid');
    return;
  }
  await printTable(session.printer, users, [...COLUMNS, ...extraColumns(users)]);
}
