import type { Command } from 'commander';
import { renderOffsets, parseOffsets } from '../../../app/offsets/file.ts';
import type { ResetRequest } from '../../../app/offsets/plan.ts';
import { resetOffsets } from '../../../app/offsets/reset.ts';
import { showOffsets, type OffsetsPorts } from '../../../app/offsets/show.ts';
import { openStore, systemClock, type TimeLimits } from '../../../compose.ts';
import { Failure } from '../../../domain/failure.ts';
import { takeStopSignal } from '../../exit.ts';
import { describe } from '../../help.ts';
import { openLines } from '../../input/lines.ts';
import { openBrokerOnly } from '../../kafka/open.ts';
import { partitionList, resetPlace } from '../../parse.ts';
import { printOffsets, printReset, printResetEvent } from '../../output/positions/offsets.ts';
import { count } from '../../output/text.ts';
import type { Session } from '../../session.ts';

/** All that showing the positions asks, however many brokers are slow: a person looks on. */
const SHOW_TIMEOUT_MS = 10_000;

const TOGETHER =
  'The stored position is what counts, and the committed offsets of the group follow it, so that every Kafka ' +
  'tool shows the right lag.';

export function register(program: Command, session: Session): void {
  const offsets = describe(program.command('offsets'), {
    summary: 'where reading stands, and moving it',
    prose: `Shows and moves how far the topic has been read. ${TOGETHER} Both are moved together.`,
    examples: [
      ['orderctl offsets show', 'positions and lag'],
      ['orderctl offsets reset --to 2h', 'what reading the last two hours again would come to'],
    ],
  });
  registerShow(offsets, session);
  registerReset(offsets, session);
  registerExport(offsets, session);
  registerUndo(offsets, session);
}

function registerShow(offsets: Command, session: Session): void {
  describe(offsets.command('show'), {
    summary: 'start, committed, stored, end and lag of each partition',
    prose:
      `Shows where each partition starts and ends, what the group has committed, what is stored, and the lag: ` +
      `end less stored. ${TOGETHER} Works beside a running consumer. A topic that does not exist is exit code 3.`,
    examples: [
      ['orderctl offsets show', 'a table'],
      ['orderctl offsets show -o json | jq .total_lag', 'one number, for a script'],
    ],
  }).action(async () => {
    const { topic, group } = session.settings;
    const ports = await openPorts(session, { totalTimeoutMs: SHOW_TIMEOUT_MS });
    await printOffsets(session, await showOffsets(ports, { topic, group }));
  });
}

interface ResetFlags {
  to?: string;
  partitions?: string;
  fromFile?: string;
  execute?: true;
}

function registerReset(offsets: Command, session: Session): void {
  describe(offsets.command('reset'), {
    summary: 'move the stored positions and the group together',
    prose:
      'Says for each partition where it stands and where it would go, how many records would be read again and ' +
      'how many skipped. --execute does it: refused (4) while a consumer owns the folder or the group has ' +
      'members; what a killed consumer left in the group is removed.\n\n' +
      '--to goes to earliest, latest, current (where reading would go on now), an offset, +N or -N records ' +
      'from current, a time ago (90s, 30m, 2h, 7d), or a time such as 2026-11-21T10:00:00Z. --from-file takes ' +
      'an offset for each partition from a file (- is stdin) as "orderctl offsets export" and ' +
      'kafka-consumer-groups --export write it, and excludes --to. --partitions confines either; one that does ' +
      'not exist is 2. An offset outside the topic is brought into range with a warning.\n\n' +
      'Reading records again changes nothing: their ids are decided. Skipped records are not read; "orderctl ' +
      'audit" shows them. Where the positions were is kept in a file, and "orderctl offsets undo" goes back.',
    examples: [
      ['orderctl offsets reset --to earliest', 'what reading everything again would do'],
      ['orderctl offsets reset --to 2026-11-21T10:00:00Z --execute', 'read on from that time'],
      ['orderctl offsets reset --to +1 --partitions 3 --execute', 'skip one record of partition 3'],
      ['orderctl offsets reset --from-file offsets.csv --execute', 'where "offsets export" saw them'],
    ],
  })
    .option('--to <WHERE>', 'where to, see above')
    .option('--partitions <LIST>', 'only these, such as 0,2')
    .option('--from-file <FILE>', 'an offset for each partition')
    .option('--execute', 'do it')
    .action(async (flags: ResetFlags) => {
      const reset = await readRequest(session, flags);
      await runReset(session, { reset, to: flags.to ?? 'from_file', execute: flags.execute === true });
    });
}

function registerExport(offsets: Command, session: Session): void {
  describe(offsets.command('export'), {
    summary: 'print where reading stands, as a file to go back to',
    prose:
      'Prints a line TOPIC,PARTITION,OFFSET for each partition: where reading would go on now. "orderctl ' +
      'offsets reset --from-file" reads it, and so does kafka-consumer-groups --reset-offsets --from-file. It is ' +
      'the same with -o json. Works beside a running consumer.',
    examples: [['orderctl offsets export > offsets.csv', 'keep them']],
  }).action(async () => {
    const { topic, group } = session.settings;
    const ports = await openPorts(session, { totalTimeoutMs: SHOW_TIMEOUT_MS });
    const { partitions } = await showOffsets(ports, { topic, group });
    const rows = partitions.map(({ partition, current }) => ({ partition, offset: current }));
    await session.printer.data(renderOffsets(topic, rows));
  });
}

function registerUndo(offsets: Command, session: Session): void {
  describe(offsets.command('undo'), {
    summary: 'go back to where the last reset came from',
    prose:
      'Says, and with --execute does, the reversal of the last executed reset of the topic in this folder, that ' +
      'of "orderctl consume --reset-to" included. It is a reset itself: refused (4) in the same cases, and ' +
      'undone by the next undo. Without a reset before it is exit code 3.',
    examples: [
      ['orderctl offsets undo', 'where it would go'],
      ['orderctl offsets undo --execute', 'go there'],
    ],
  })
    .option('--execute', 'do it')
    .action(async (flags: { execute?: true }) => {
      await runReset(session, { reset: 'undo', to: 'undo', execute: flags.execute === true });
    });
}

async function openPorts(session: Session, limits: TimeLimits = {}): Promise<OffsetsPorts> {
  const [access, broker] = await Promise.all([
    openStore(session.settings.storage),
    openBrokerOnly(session, limits),
  ]);
  return { access, broker };
}

async function runReset(
  session: Session,
  { reset, to, execute }: { reset: ResetRequest | 'undo'; to: string; execute: boolean },
): Promise<void> {
  const { topic, group } = session.settings;
  const result = await resetOffsets(
    { ...(await openPorts(session)), clock: systemClock },
    { topic, group, reset, execute, on: (event) => printResetEvent(session.printer, event) },
  );
  await printReset(session, result, to);
}

async function readRequest(session: Session, flags: ResetFlags): Promise<ResetRequest> {
  if ((flags.to === undefined) === (flags.fromFile === undefined)) {
    const [message, fix] =
      flags.to === undefined
        ? ['offsets reset needs --to or --from-file', 'for example --to earliest']
        : ['--to and --from-file exclude each other', 'give one of them'];
    throw new Failure('usage', message, { fix });
  }
  const partitions = flags.partitions === undefined ? null : partitionList('--partitions', flags.partitions);
  if (flags.to !== undefined) return { to: resetPlace('--to', flags.to, systemClock.now()), partitions };
  return readFile(session, flags.fromFile ?? '', partitions);
}

async function readFile(
  session: Session,
  file: string,
  partitions: readonly number[] | null,
): Promise<ResetRequest> {
  const { printer, settings } = session;
  const about = { flag: '--from-file', what: 'TOPIC,PARTITION,OFFSET on each line' };
  const { lines, name } = await openLines(file, about, session, takeStopSignal(printer));
  const { offsets, others } = await parseOffsets(lines, name, settings);
  if (others > 0) {
    printer.warn(`${name}: left out ${count(others, 'line')} about other topics or groups`);
  }
  const missing = partitions?.find((partition) => !offsets.has(partition));
  if (missing !== undefined) {
    throw new Failure('invalid_value', `${name} has no offset for partition ${missing}`, {
      fix: `it has some for ${[...offsets.keys()].join(', ')}`,
    });
  }
  return { to: { offsets }, partitions: partitions ?? [...offsets.keys()] };
}
