import type { Command } from 'commander';
import { openInspector, openStore } from '../../../compose.ts';
import { DEAD_LETTER_STATES } from '../../../app/dlq/dead-letters.ts';
import { parseDeadLetterId } from '../../../domain/dead-letter-id.ts';
import { registryConnection } from '../../kafka/connection.ts';
import { describe } from '../../help.ts';
import { openBrokerOnly, openKafka } from '../../kafka/open.ts';
import { choice, wholeNumber } from '../../parse.ts';
import { printTable } from '../../output/print-table.ts';
import {
  HISTOGRAM_COLUMNS,
  histogram,
  LETTER_COLUMNS,
  deadLetterDocument,
  listLine,
  listSummaryDocument,
  toRow,
  type LetterRow,
} from '../../output/dead-letters/list.ts';
import { count } from '../../output/text.ts';
import type { Session } from '../../session.ts';
import { filterOptions, IDS, readFilter, type FilterFlags } from './filter.ts';
import { registerDiscard, registerRedrive } from './redrive.ts';

export function register(program: Command, session: Session): void {
  const dlq = describe(program.command('dlq'), {
    summary: 'records that could not be read as orders',
    prose:
      'Lists, shows, sends again and discards dead letters: of orderctl itself and, with --dlq-topic, of Kafka ' +
      'Connect, Kafka Streams, share groups, Spring, Spring Cloud Stream and SmallRye, whose headers are understood ' +
      `too. What was done with them is remembered in the storage folder.\n\n${IDS}`,
    examples: [
      ['orderctl dlq list', 'how many there are, why, and which'],
      ['orderctl dlq show 0:17', 'one of them, taken apart'],
      [
        'orderctl dlq redrive --reason unknown_schema_id --execute',
        'the schema is there now: send them again',
      ],
    ],
  });
  registerList(dlq, session);
  registerShow(dlq, session);
  registerRedrive(dlq, session);
  registerDiscard(dlq, session);
}

function registerList(dlq: Command, session: Session): void {
  filterOptions(
    describe(dlq.command('list'), {
      summary: 'list dead letters, by reason and one by one',
      prose:
        'Counts dead letters by error code, then lists them: those kept in the folder, then the topic, partition by ' +
        'partition. Flags that select go together; --since is inclusive, --until exclusive. One that was sent twice ' +
        'after a crash is listed once. As text at most 1,000 are listed unless --limit says otherwise; all are ' +
        `counted.\n\n${IDS}`,
      examples: [
        ['orderctl dlq list --state open', 'what waits for somebody'],
        ['orderctl dlq list --since 2026-11-21T00:00:00Z', 'since that day'],
        ['orderctl dlq list -o json', 'one object a line, then a summary'],
        ['orderctl dlq list --dlq-topic connect-dlq', 'the dead letters of a connector'],
      ],
    }),
  )
    .option('--state <STATE>', DEAD_LETTER_STATES.join(', '))
    .option('--limit <N>', 'list at most so many')
    .action(async (flags: FilterFlags & { state?: string; limit?: string }) => {
      await list(session, flags);
    });
}

/** Rows are held until their widths are known. */
const MAX_ROWS = 1_000;

async function list(
  session: Session,
  flags: FilterFlags & { state?: string; limit?: string },
): Promise<void> {
  const { settings, printer, isJson } = session;
  const state =
    flags.state === undefined ? null : choice('--state', flags.state, 'a state', DEAD_LETTER_STATES);
  const filter = readFilter(flags, state);
  const limit =
    flags.limit === undefined
      ? isJson
        ? Infinity
        : MAX_ROWS
      : wholeNumber('--limit', flags.limit, { min: 1, ...(isJson ? {} : { max: 100_000 }) });
  const { listDeadLetters } = await import('../../../app/dlq/list.ts');
  const access = await openStore(settings.storage);
  const rows: LetterRow[] = [];
  const summary = await listDeadLetters(
    { access, broker: await openBrokerOnly(session) },
    {
      dlqTopic: settings.dlqTopic,
      filter,
      limit,
      onDeadLetters: async (letters) => {
        if (!isJson) rows.push(...letters.map(toRow));
        else
          await printer.data(
            letters.map((letter) => `${JSON.stringify(deadLetterDocument(letter))}\n`).join(''),
          );
      },
    },
  );
  if (isJson) {
    await printer.data(`${JSON.stringify(listSummaryDocument(summary))}\n`);
    return;
  }
  await printer.data(`${listLine(summary)}\n`);
  if (rows.length === 0) return;
  await printer.data('\n');
  await printTable(printer, histogram(summary.byErrorCode), HISTOGRAM_COLUMNS);
  await printer.data('\n');
  await printTable(printer, rows, LETTER_COLUMNS);
  const more = summary.total - summary.listed;
  if (more > 0) printer.info(`and ${count(more, 'more dead letter')}; --limit, or -o json, lists them`);
}

function registerShow(dlq: Command, session: Session): void {
  describe(dlq.command('show'), {
    summary: 'show one dead letter',
    prose:
      'Shows the headers of a dead letter, its key and value in hex, the value taken apart as far as that goes, with ' +
      'the byte where it breaks, and what reading it again would come to now. Exit code 3 if there is no such ' +
      `one.\n\n${IDS}`,
    examples: [
      ['orderctl dlq show 0:17', 'the record 17 of partition 0'],
      ['orderctl dlq show kept:orders/3@17', 'one that was too large for the topic'],
    ],
  })
    .argument('<ID>', 'as "dlq list" names it')
    .action(async (text: string) => {
      const { settings, printer, isJson } = session;
      const id = parseDeadLetterId(text);
      const [{ showDeadLetter }, { shownDocument, shownText }] = await Promise.all([
        import('../../../app/dlq/show.ts'),
        import('../../output/dead-letters/show.ts'),
      ]);
      const { dlqTopic, topic } = settings;
      const { broker, codec } = await openKafka(session, { topic, register: false });
      const inspector = await openInspector(registryConnection(session.resolved));
      const access = await openStore(settings.storage);
      const shown = await showDeadLetter({ access, broker, codec, inspector }, { dlqTopic, id });
      await printer.data(isJson ? `${JSON.stringify(shownDocument(shown))}\n` : shownText(shown, dlqTopic));
    });
}
