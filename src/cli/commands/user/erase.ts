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
      summary: 'take a person out of the store',
      prose:
        'Gives a user another name, which says nothing, in the tables and in all of history, and removes what else says who it ' +
        'was: further columns, postal addresses, what mail servers answered. Orders, money and stock stay, and "audit" ' +
        'agrees. Nothing may run on the store (4), and no order of the user may be unfinished (4). A folder is written ' +
        'again as a whole, which takes room for a second one meanwhile; a crash leaves it as it was or as it is to be. ' +
        'Says what it could not reach. Without --execute it says what it would do. It cannot be taken back, and a second run ' +
        'finds nothing of the user (3), as one of a name that never was.',
      examples: [
        ['orderctl user erase alice', 'what would be done'],
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
    'backups, and reports and exports that were made before',
    'logs of runs, traces, and mail that was sent',
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
      : `would erase ${user}: ${what}; nothing changed: --execute does it\n`,
  );
  for (const place of erased.left) printer.warn(`${user} may still be in ${place}`);
  printer.info(`not reached: ${elsewhere.join('; ')}`);
}
