import path from 'node:path';
import type { Command } from 'commander';
import { openStoreAdmin, systemClock } from '../../../compose.ts';
import type { ArchivedDocument } from '../../../documents/store/store.ts';
import { Failure } from '../../../domain/failure.ts';
import { isoTime, isoTimeOrNull } from '../../../domain/iso-time.ts';
import { takeStopSignal } from '../../exit.ts';
import { describe, offering } from '../../help.ts';
import { count } from '../../output/text.ts';
import { pastTime } from '../../parse.ts';
import type { Session } from '../../session.ts';

interface ArchiveFlags {
  readonly before: string;
  readonly timeZone?: string;
  readonly to?: string;
  readonly execute?: true;
}

export function registerArchive(noun: Command, session: Session): void {
  describe(noun.command('archive'), {
    summary: 'move old orders from a database to files',
    prose:
      'Moves orders of the direct flow that were decided before a time to JSONL files; other processes may run. Their ids ' +
      'stay known, so an order that is sent again is a duplicate, and "audit" balances without the files. To read ' +
      'archived orders like all others, pass the folder to any command with --archive. An interrupted run continues ' +
      'when it is repeated. Without --execute it only prints what it would move.',
    examples: [
      ['orderctl store archive --before 2026-01-01 --to archive --execute', 'move orders'],
      ['orderctl order show WEB-1 --archive archive', 'show an archived order'],
    ],
  })
    .requiredOption('--before <TIME>', 'orders decided before a time, a date, or a time ago (90d)')
    .option('--time-zone <ZONE>', "time zone of a date (default: this machine's)")
    .addOption(offering('--to <DIR>', 'folder for the files (default: the one of --archive)', 'files'))
    .option('--execute', 'move them')
    .action(async (flags: ArchiveFlags) => {
      await archive(session, flags);
    });
}

async function archive(session: Session, flags: ArchiveFlags): Promise<void> {
  const { printer, isJson, settings } = session;
  const beforeMs = pastTime('--before', flags.before, flags.timeZone, systemClock.now());
  const to = flags.to === undefined ? settings.archive : path.resolve(session.cwd, flags.to);
  const admin = await openStoreAdmin(settings);
  if (admin.archive === null) {
    throw new Failure('usage', `${admin.name} is a folder, whose orders are in files already`, {
      fix: 'archive only a database: --store postgres://USER@HOST/DATABASE',
    });
  }
  const plan = await admin.archive.plan(beforeMs);
  let files: readonly string[] = [];
  let { accepted, rejected } = plan;
  if (flags.execute === true) {
    if (to === null)
      throw new Failure('usage', 'no folder for the files is named', { fix: 'name one with --to DIR' });
    const signal = takeStopSignal(printer);
    const onFile = (file: string, orders: number): void => printer.info(`${file}: ${count(orders, 'order')}`);
    ({ files, accepted, rejected } = await admin.archive.execute({ beforeMs, to, signal, onFile }));
  }
  const document: ArchivedDocument = {
    store: admin.name,
    executed: flags.execute === true,
    before: isoTime(beforeMs),
    to,
    accepted,
    rejected,
    from: isoTimeOrNull(plan.fromMs),
    until: isoTimeOrNull(plan.untilMs),
    files: [...files],
  };
  await printer.text(isJson ? `${JSON.stringify(document)}\n` : archivedText(document));
}

function archivedText({
  executed,
  before,
  to,
  accepted,
  rejected,
  from,
  until,
  files,
}: ArchivedDocument): string {
  if (from === null || until === null) return `no orders were decided before ${before}\n`;
  const orders = `${count(accepted + rejected, 'order')} (${accepted} accepted, ${rejected} rejected)`;
  const what = `${orders}, decided from ${from} to ${until}`;
  if (executed) return `archived ${what}: ${count(files.length, 'file')} in ${to ?? ''}\n`;
  return `would archive ${what}\nnothing changed; add --execute\n`;
}
