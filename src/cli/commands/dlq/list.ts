import type { Command } from 'commander';
import { DEAD_LETTER_STATES, type DeadLetterScope } from '../../../app/dlq/dead-letters.ts';
import { describe, offering } from '../../help.ts';
import { openBrokerOnly } from '../../kafka/open.ts';
import { choice, wholeNumber } from '../../parse.ts';
import { openCsv } from '../../output/csv.ts';
import { printTable } from '../../output/print-table.ts';
import {
  HISTOGRAM_COLUMNS,
  histogram,
  deadLetterColumns,
  deadLetterDocument,
  listLine,
  listSummaryDocument,
  narrowerColumns,
  deadLetterRow,
  type DeadLetterRow,
} from '../../output/dead-letters/list.ts';
import { count, grouped, LIST_MORE } from '../../output/text.ts';
import type { Session } from '../../session.ts';
import { openStoreOf } from '../../store.ts';
import { filterOptions, IDS, readFilter, type FilterFlags } from './filter.ts';
import { scopeOf, takingScope, wideScopeOf, type ScopeFlags } from './scope.ts';

export function registerList(dlq: Command, session: Session): void {
  const command = filterOptions(
    describe(dlq.command('list'), {
      summary: 'count dead letters by reason, and list them',
      isTable: true,
      prose:
        'Counts the dead letters of the orders, or of another processor, by error code, then lists them: first those kept ' +
        'in the folder, then each topic by partition. A dead letter must match all filters; --since is inclusive, --until ' +
        'exclusive. One that was sent twice because of a crash is listed once. A record that several groups failed to ' +
        'process is a dead letter of each; the group is shown if there is more than one. Text output lists at most 1,000, ' +
        `or --limit, but counts all.\n\n${IDS}`,
      examples: [
        ['orderctl dlq list --state open', 'dead letters that need attention'],
        ['orderctl dlq list --processor payment', 'dead letters of all topics that payment reads'],
      ],
    }),
  );
  takingScope(command)
    .addOption(offering('--state <STATE>', DEAD_LETTER_STATES.join(', '), DEAD_LETTER_STATES))
    .option('--limit <N>', 'list at most N')
    .action(async (flags: ListFlags) => {
      await list(session, flags);
    });
}

interface ListFlags extends FilterFlags, ScopeFlags {
  state?: string;
  limit?: string;
}

/** Rows of a table are held in memory until the column widths are known. */
const MAX_ROWS = 1_000;

const CSV_COLUMNS = [
  'id',
  'state',
  'error_code',
  'error_stage',
  'error_message',
  'attempts',
  'failed_at',
  'original_topic',
  'original_partition',
  'original_offset',
  'original_timestamp',
  'size_bytes',
  'format',
  'group',
  'replay_count',
  'topic',
];

async function list(session: Session, flags: ListFlags): Promise<void> {
  const { printer, isJson, isCsv } = session;
  const isText = !isJson && !isCsv;
  const state =
    flags.state === undefined ? null : choice('--state', flags.state, 'a state', DEAD_LETTER_STATES);
  const filter = readFilter(flags, state);
  const limit =
    flags.limit === undefined
      ? isText
        ? MAX_ROWS
        : Infinity
      : wholeNumber('--limit', flags.limit, { min: 1, ...(isText ? { max: 100_000 } : {}) });
  const { listDeadLetters } = await import('../../../app/dlq/list.ts');
  const access = await openStoreOf(session);
  const rows: DeadLetterRow[] = [];
  const csv = isCsv ? await openCsv(printer, CSV_COLUMNS) : null;
  const scope = await scopeOf(session, flags);
  const summary = await listDeadLetters(
    { access, broker: await openBrokerOnly(session) },
    {
      scope,
      ...(isText && flags.processor === undefined ? { otherTopics: await otherTopics(session, scope) } : {}),
      filter,
      limit,
      onDeadLetters: async (deadLetters) => {
        if (csv !== null) await csv(deadLetters.map(deadLetterDocument));
        else if (isText) rows.push(...deadLetters.map(deadLetterRow));
        else
          await printer.data(
            deadLetters.map((deadLetter) => `${JSON.stringify(deadLetterDocument(deadLetter))}\n`).join(''),
          );
      },
    },
  );
  if (isJson) {
    await printer.data(`${JSON.stringify(listSummaryDocument(summary))}\n`);
    return;
  }
  if (isCsv) {
    printer.info(listLine(summary));
    return;
  }
  await printer.text(`${listLine(summary)}\n`);
  const elsewhere = [...summary.elsewhere].map(([topic, records]) => `${topic} (${grouped(records)})`);
  if (elsewhere.length > 0)
    printer.info(`there are more in ${elsewhere.join(', ')}: orderctl dlq list --processor all`);
  if (rows.length === 0) return;
  await printer.data('\n');
  await printTable(printer, histogram(summary.byErrorCode), HISTOGRAM_COLUMNS);
  await printer.data('\n');
  const columns = deadLetterColumns(summary);
  const isWhole = await printTable(printer, rows, columns, ...narrowerColumns(columns));
  const more = summary.total - summary.listed;
  if (more > 0) printer.info(`and ${count(more, 'more dead letter')}: ${LIST_MORE}`);
  if (!isWhole)
    printer.info('shortened to the width of the terminal; "orderctl dlq show ID" shows one in full');
}

/** The dead-letter topics of the shop that are not in `scope`. */
async function otherTopics(session: Session, { topics }: DeadLetterScope): Promise<readonly string[]> {
  const all = await wideScopeOf(session, {});
  return all.topics.filter((topic) => !topics.includes(topic));
}
