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
      'Restores the storage folder (--storage) from the backup DIR. The storage folder must be empty or not exist (4), so ' +
      'move the old one away first. Prints the positions from which topics are read: orders that were decided after the ' +
      'backup are read again, and decided again with the stock of the backup, if the topic still has them.\n\n' +
      'The restored folder has the id of the original, and replaces it. If the original stays in use, give the restored ' +
      'folder an id and a group of its own: orderctl consume --new-id --group NAME.',
    examples: [
      ['orderctl restore /backup/shop-2026-11-27', 'restore into the storage folder'],
      ['orderctl offsets show', 'show how many records will be read again'],
    ],
  })
    .argument('<DIR>', 'a folder that "orderctl backup" created')
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
      fix: 'restore to a new folder with --storage NEW, or move this one away first',
      context: error.context,
    });
  });
  // Recover as after a crash, to write the CSVs from the logs, and to fail now if the backup is not usable.
  const onNotice = (notice: StoreNotice): void => {
    if (notice.kind !== 'recovered') printNotice(printer, notice);
  };
  const options = { purpose: 'restore', via: 'command', besideBroken: true, onNotice } as const;
  {
    await using store = await target.own(options);
    await markRestored(store);
  }
  if (isJson) {
    await printCopy(printer, { from: backup.name, to: target.name, copy });
    return;
  }
  await printer.text(`restored ${target.name} from ${backup.name}: ${copyLine(copy)}\n`);
  if (copy.positions.length > 0) {
    await printer.data('\nreading continues from:\n');
    await printTable(printer, copy.positions, POSITION_COLUMNS);
  }
  printer.info(
    'orders that were decided after the backup are read and decided again with this stock, if the topic still has them; ' +
      'to see how many: orderctl offsets show',
  );
  if (copy.storeId !== null) {
    printer.info(
      `this folder has the id of the original; if the original stays in use, give this one an id of its own: ` +
        'orderctl consume --new-id --group NAME',
    );
  }
}

function noBackup(folder: string): Failure {
  const message = existsSync(folder) ? `${folder} is not a backup` : `folder ${folder} does not exist`;
  return new Failure('not_found', message, {
    fix: 'name a folder that "backup DIR" created',
    context: { file: folder },
  });
}
