import type { Command } from 'commander';
import { openStoreAdmin } from '../../../compose.ts';
import type { CopiedStoreDocument } from '../../../documents/store/store.ts';
import { Failure } from '../../../domain/failure.ts';
import type { StoreAdmin } from '../../../ports/whole/store-admin.ts';
import { takeStopSignal } from '../../exit.ts';
import { describe, offering } from '../../help.ts';
import { count } from '../../output/text.ts';
import type { Session } from '../../session.ts';
import { databasePassword } from '../../settings/store.ts';
import { isDatabase, STORE } from '../../settings/store-type.ts';

/** Lines between two reports of progress. */
const REPORT_EVERY_LINES = 100_000;

export function registerCopy(noun: Command, session: Session): void {
  describe(noun.command('copy'), {
    summary: 'copy a store to another folder or database, to continue there',
    prose:
      'Copies a store that nothing runs on: tables, history with its numbers, positions, pending effects and pending ' +
      'messages. The new store must not exist yet. At the end the old store is sealed: it can be read, but not changed ' +
      '(4). An interrupted copy continues when the command is repeated. Compare both stores with "orderctl audit". ' +
      'Passwords come from the environment, as for --store.',
    examples: [
      ['orderctl store copy --to postgres://me@db/shop', 'copy the folder to a database'],
      ['orderctl store copy --from postgres://me@db/shop --to back', 'copy it back to a folder'],
    ],
  })
    .addOption(offering('--from <DIR|URL>', 'the store to copy (default: --store)', 'files'))
    .addOption(offering('--to <DIR|URL>', 'the new store', 'files').makeOptionMandatory())
    .action(async (flags: { readonly from?: string; readonly to: string }) => {
      const { printer, isJson } = session;
      const [from, to] = await Promise.all([
        open(session, '--from', flags.from),
        open(session, '--to', flags.to),
      ]);
      if (from.name === to.name) {
        throw new Failure('usage', `--from and --to are the same store: ${to.name}`, {
          fix: 'name another with --to',
        });
      }
      const { copyStore } = await import('../../../app/store/copy.ts');
      let reported = 0;
      const copied = await copyStore(from, to, {
        signal: takeStopSignal(printer),
        onLines: (lines) => {
          if (lines - reported < REPORT_EVERY_LINES) return;
          reported = lines;
          printer.info(`${lines} lines of history copied`);
        },
      });
      const document: CopiedStoreDocument = {
        from: from.name,
        to: to.name,
        store_id: copied.storeId,
        lines: copied.lines,
        continued: copied.isContinued,
      };
      await printer.text(
        isJson
          ? `${JSON.stringify(document)}\n`
          : `copied ${from.name} to ${to.name}: ${count(copied.lines, 'line')} of history\n`,
      );
      printer.info(`${from.name} is sealed; continue with: orderctl --store ${to.name}`);
    });
}

/** @throws Failure usage, invalid_value */
async function open(
  { settings, env }: Session,
  flag: string,
  given: string | undefined,
): Promise<StoreAdmin> {
  if (given === undefined) return openStoreAdmin(settings);
  const storage = STORE.read(given, flag);
  const storePassword = isDatabase(storage) ? databasePassword(env) : null;
  return openStoreAdmin({ storage, storePassword, archive: flag === '--from' ? settings.archive : null });
}
