import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { openStoreAdmin } from '../../../compose.ts';
import type { ErasedUser } from '../../../documents/store/erased.ts';
import { describe } from '../../help.ts';
import { nameNeeded, takingName } from '../../named.ts';
import { count } from '../../output/text.ts';
import type { Session } from '../../session.ts';

interface Flags {
  readonly user?: string;
  readonly execute?: true;
}

/** Twelve hexadecimal digits: names.ts. */
const PSEUDONYM_BYTES = 6;

export function registerErase(user: Command, session: Session): void {
  takingName(
    describe(user.command('erase'), {
      summary: 'erase the personal data of a user',
      prose:
        'Replaces the name of a user by a meaningless one in the tables and in all of history, and removes other ' +
        'personal data: further columns, postal addresses, answers of mail servers. Orders, money and stock stay, and ' +
        '"audit" still succeeds. Refused (4) while a consumer runs on the store or an order of the user is unfinished. A ' +
        'folder is rewritten as a whole, which temporarily needs twice its disk space; after a crash it is in its old or ' +
        'in its new state. Places that the command cannot reach are listed. Without --execute it only prints what it ' +
        'would do. It cannot be undone; afterwards the user does not exist (3).',
      examples: [
        ['orderctl user erase alice', 'show what would be done'],
        ['orderctl user erase alice --execute', 'do it'],
      ],
    }),
    '--user',
    'name of the user',
  )
    .option('--execute', 'do it')
    .action(async (given: string | undefined, flags: Flags) => {
      await erase(session, nameNeeded('--user', given, flags.user), flags.execute === true);
    });
}

async function erase(session: Session, user: string, execute: boolean): Promise<void> {
  const { printer, isJson, settings } = session;
  const { eraseUser, LONGEST_RETENTION_DAYS } = await import('../../../app/store/erase.ts');
  const admin = await openStoreAdmin(settings);
  const pseudonym = `erased-${randomBytes(PSEUDONYM_BYTES).toString('hex')}`;
  const erased = await eraseUser(admin, { user, pseudonym, execute });
  const elsewhere = [
    `topics, which keep records for up to ${LONGEST_RETENTION_DAYS} days`,
    'backups, reports and exports made before',
    'process logs, traces, and mail that was sent',
  ];
  const document: ErasedUser = {
    store: admin.name,
    user,
    executed: execute,
    orders: erased.orders,
    lines: erased.lines,
    pseudonym: execute ? erased.pseudonym : null,
    left: [...erased.left],
    elsewhere,
  };
  if (isJson) {
    await printer.data(`${JSON.stringify(document)}\n`);
    return;
  }
  const what = `${count(erased.lines, 'line')} of history, ${count(erased.orders, 'order')}`;
  await printer.text(
    execute
      ? `erased ${user}, now ${erased.pseudonym}: ${what}\n`
      : `would erase ${user}: ${what}; nothing changed, add --execute to do it\n`,
  );
  for (const place of erased.left) printer.warn(`${user} may still be in ${place}`);
  printer.info(`not erased from: ${elsewhere.join('; ')}`);
}
