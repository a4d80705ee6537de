import type { Command } from 'commander';
import { parseOffsets } from '../../../app/offsets/file.ts';
import type { ProcessorTopics } from '../../../app/offsets/group-positions.ts';
import type { ResetRequest } from '../../../app/offsets/plan.ts';
import { systemClock } from '../../../compose.ts';
import { Failure } from '../../../domain/failure.ts';
import { takeStopSignal } from '../../exit.ts';
import { describe, offering } from '../../help.ts';
import { openLines } from '../../input/lines.ts';
import { partitionList, RESET_WORDS, resetPlace } from '../../parse.ts';
import { count } from '../../output/text.ts';
import type { Session } from '../../session.ts';
import { PROCESSOR, readingOfFlags, takingProcessor, type ProcessorFlags } from './ports.ts';
import { runReset } from './run-reset.ts';

interface ResetFlags extends ProcessorFlags {
  to?: string;
  partitions?: string;
  fromFile?: string;
  execute?: true;
}

export function registerReset(offsets: Command, session: Session): void {
  const reset = describe(offsets.command('reset'), {
    summary: 'reset the stored positions and the group together',
    isTable: true,
    prose:
      'Shows for each partition its position and the new one, and how many records would be read again or skipped. ' +
      '--execute does it; refused (4) while a consumer owns the folder or the group has members. Members that a killed ' +
      'consumer left behind are removed.\n\n' +
      '--to accepts earliest, latest, current (where reading would continue now), an offset, +N or -N records ' +
      'from current, a time ago (90s, 30m, 2h, 7d), or a time such as 2026-11-21T10:00:00Z. --from-file reads ' +
      'an offset for each partition from a file (- is stdin) written by "orderctl offsets export" or ' +
      'kafka-consumer-groups --export, and excludes --to. --partitions limits either to some partitions, which must ' +
      'exist (2). An offset outside the topic is moved into its range, with a warning.\n\n' +
      'Reading records again changes nothing, since their ids are decided. Skipped records are never read; ' +
      '"orderctl audit" lists them. The previous positions are saved, and "orderctl offsets undo" restores them. ' +
      PROCESSOR,
    examples: [
      ['orderctl offsets reset --to earliest', 'show what reading everything again would do'],
      ['orderctl offsets reset --to 2026-11-21T10:00:00Z --execute', 'read again from that time'],
    ],
  });
  takingProcessor(reset)
    .addOption(offering('--to <WHERE>', 'new position, see above', RESET_WORDS))
    .option('--partitions <LIST>', 'only these partitions, such as 0,2')
    .option('--from-file <FILE>', 'file with an offset for each partition')
    .option('--execute', 'do it')
    .action(async (flags: ResetFlags) => {
      const reading = await readingOfFlags(session, flags);
      const requests = await readRequests(session, reading, flags);
      const to = flags.to ?? 'from_file';
      await runReset(session, reading, { reset: requests, to, execute: flags.execute === true });
    });
}

/** By topic. */
type Requests = ReadonlyMap<string, ResetRequest>;

async function readRequests(
  session: Session,
  reading: ProcessorTopics,
  flags: ResetFlags,
): Promise<Requests> {
  if ((flags.to === undefined) === (flags.fromFile === undefined)) {
    const [message, fix] =
      flags.to === undefined
        ? ['offsets reset needs --to or --from-file', 'for example --to earliest']
        : ['--to and --from-file cannot be combined', 'use one of them'];
    throw new Failure('usage', message, { fix });
  }
  const partitions = flags.partitions === undefined ? null : partitionList('--partitions', flags.partitions);
  if (partitions !== null && reading.topics.length > 1) {
    throw new Failure('usage', `--partitions applies to one topic, but ${reading.processor} reads several`, {
      fix: `add --source with one of ${reading.topics.join(', ')}`,
    });
  }
  if (flags.to === undefined) return readFile(session, flags.fromFile ?? '', reading, partitions);
  const request = { to: resetPlace('--to', flags.to, systemClock.now()), partitions };
  return new Map(reading.topics.map((topic) => [topic, request]));
}

async function readFile(
  session: Session,
  file: string,
  reading: ProcessorTopics,
  partitions: readonly number[] | null,
): Promise<Requests> {
  const { printer } = session;
  const about = { flag: '--from-file', what: 'TOPIC,PARTITION,OFFSET on each line' };
  const { lines, name } = await openLines(file, about, session, takeStopSignal(printer));
  const { offsets, others } = await parseOffsets(lines, name, reading);
  if (others > 0) {
    printer.warn(`${name}: skipped ${count(others, 'line')} of other topics or groups`);
  }
  return new Map(
    [...offsets].map(([topic, ofTopic]) => {
      const existing = [...ofTopic.keys()];
      const missing = partitions?.find((partition) => !ofTopic.has(partition));
      if (missing !== undefined) {
        throw new Failure('invalid_value', `${name} has no offset for partition ${missing}`, {
          fix: `it has offsets for ${existing.join(', ')}`,
        });
      }
      return [topic, { to: { offsets: ofTopic }, partitions: partitions ?? existing }];
    }),
  );
}
