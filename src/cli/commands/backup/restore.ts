import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { openStore } from '../../../compose.ts';
import { markRestored } from '../../../app/store/mark-restored.ts';
import { Failure } from '../../../domain/failure.ts';
import { describe } from '../../help.ts';
import { copyLine, POSITION_COLUMNS, printCopy } from '../../output/positions/backup.ts';
import type { StoreNotice } from '../../../ports/notices.ts';
import { printNotice } from '../../output/store-notices.ts';
import { printTable } from '../../output/print-table.ts';
import type { Session } from '../../session.ts';

export function register(command: Command, session: Session): void {
  describe(command, {
    prose:
      'Makes the storage folder (--storage) of a backup in DIR; it must be empty or not there (4): move the one that is ' +
      'in use away first. Says from where the topic is read on: what was decided after the backup is read again, and ' +
      'decided again on the stock of the backup, if the topic still has it.\n\n' +
      'The new folder has the id of the one that was backed up, and takes its place. If that one goes on as well, this one ' +
      'needs an identity of its own: orderctl consume --new-id --group NAME.',
    examples: [
      ['orderctl restore /backup/shop-2026-11-27', 'into the storage folder'],
      ['orderctl offsets show', 'then: how many records will be read again'],
    ],
  })
    .argument('<DIR>', 'what "orderctl backup" made')
    .action(async (source: string) => {
      await restore(session, source);
    });
}

async function restore(session: Session, source: string): Promise<void> {
  const { printer, isJson, settings } = session;
  const [backup, target] = await Promise.all([
    openStore({ storage: source, storePassword: null }),
    openStore(settings),
  ]);
  if (!(await backup.isThere())) throw noBackup(backup.name);
  if ((await target.consumerStatus()) !== null) {
    throw new Failure('folder_in_use', `a consumer runs on ${target.name}`, { fix: { kind: 'stop_owner' } });
  }
  const copy = await backup.backUp(target.name).catch((error: unknown) => {
    if (!(error instanceof Failure) || error.code !== 'already_exists') throw error;
    throw new Failure(error.code, error.message, {
      fix: 'restore into a new folder with --storage NEW, or move this one away first',
      context: error.context,
    });
  });
  // Recovered as after a crash, so that the CSVs say what is true; and a backup that cannot be used says so now.
  const onNotice = (notice: StoreNotice): void => {
    if (notice.kind !== 'recovered') printNotice(printer, notice);
  };
  const how = { purpose: 'restore', via: 'command', besideBroken: true, onNotice } as const;
  {
    await using store = await target.own(how);
    await markRestored(store);
  }
  if (isJson) {
    await printCopy(printer, { from: backup.name, to: target.name, copy });
    return;
  }
  await printer.text(`restored ${target.name} from ${backup.name}: ${copyLine(copy)}\n`);
  if (copy.positions.length > 0) {
    await printer.data('\nreading goes on from:\n');
    await printTable(printer, copy.positions, POSITION_COLUMNS);
  }
  printer.info(
    'what was decided after the backup is read again and decided on this stock, if the topic still has it; ' +
      'to see how much that is: orderctl offsets show',
  );
  if (copy.storeId !== null) {
    printer.info(
      `it has the id of the folder that was backed up; if that one is still in use, give this one its own: ` +
        'orderctl consume --new-id --group NAME',
    );
  }
}

function noBackup(folder: string): Failure {
  const message = existsSync(folder) ? `${folder} is not a backup` : `there is no folder ${folder}`;
  return new Failure('not_found', message, {
    fix: 'name a backup: a folder that "backup DIR" made',
    context: { file: folder },
  });
}
