import type { Command } from 'commander';
import type { SkippedDeadLetter, UnknownDeadLetter } from '../../../documents/dead-letter.ts';
import { openIds, systemClock } from '../../../compose.ts';
import { Failure } from '../../../domain/failure.ts';
import { parseDeadLetterId } from '../../../domain/topics/dead-letter-id.ts';
import { wayOut } from '../../hints.ts';
import { takeStopSignal } from '../../exit.ts';
import { describe } from '../../help.ts';
import { readBytes } from '../../input/bytes.ts';
import { openForRun } from '../../kafka/open.ts';
import { wholeNumber } from '../../parse.ts';
import type { RedriveEvent } from '../../../app/dlq/redrive-events.ts';
import { printNotice } from '../../output/store-notices.ts';
import {
  redriveSummaryDocument,
  redriveSummaryText,
  stepDocument,
  stepLine,
} from '../../output/dead-letters/list.ts';
import type { Session } from '../../session.ts';
import { openStoreOf } from '../../store.ts';
import { checkTopicName } from '../../settings/values.ts';
import { filterOptions, readFilter, type FilterFlags } from './filter.ts';
import { scopeOf, takingScope, wideScopeOf, type ScopeFlags } from './scope.ts';

interface RedriveFlags extends FilterFlags, ScopeFlags {
  value?: string;
  all?: true;
  max?: string;
  toTopic?: string;
  maxRedrives: string;
  execute?: true;
}

export function registerRedrive(dlq: Command, session: Session): void {
  const command = filterOptions(
    describe(dlq.command('redrive'), {
      summary: 'send dead letters back to their original topics',
      prose:
        'Sends dead letters to their original topics with key and value unchanged. --value sends one of them with a ' +
        'corrected value, as JSON or as raw bytes, and leaves the original as it is. Without --execute it only reports for ' +
        'each whether it would fail again. Select them by ids, by filters, or all open ones of every processor (--all). A ' +
        'dead letter that was sent is marked, and not sent again; one that came back --max-redrives times is skipped. A ' +
        'failed charge or mail is tried once more. Ctrl-C exits with 130; the same command continues.\n\n' +
        'An id is PARTITION:OFFSET, TOPIC:PARTITION:OFFSET or kept:TOPIC/PARTITION@OFFSET, as shown by "orderctl dlq list".',
      examples: [
        ['orderctl dlq redrive --all', 'show what would be sent, and where'],
        ['orderctl dlq redrive 0:17 --value order.json --execute', 'send one with a corrected value'],
      ],
    }),
  );
  takingScope(command)
    .argument('[ID...]', 'id, as shown by "dlq list"')
    .option('--all', 'all open dead letters')
    .option('--max <N>', 'at most N')
    .option('--value <FILE>', 'send this value instead (- is stdin)')
    .option('--to-topic <NAME>', 'send to this topic instead')
    .option('--max-redrives <N>', 'skip records that came back N times', '3')
    .option('--execute', 'do it')
    .action(async (ids: string[], flags: RedriveFlags) => {
      await redrive(session, ids, flags);
    });
}

async function redrive(session: Session, texts: readonly string[], flags: RedriveFlags): Promise<void> {
  const { settings, printer } = session;
  const select = selection(texts, flags);
  const max = flags.max === undefined ? null : wholeNumber('--max', flags.max, { min: 1 });
  const maxRedrives = wholeNumber('--max-redrives', flags.maxRedrives, { min: 1 });
  const toTopic = flags.toTopic === undefined ? null : checkTopicName(flags.toTopic, '--to-topic');
  const scope = await ('ids' in select ? scopeOf(session, flags, select.ids) : wideScopeOf(session, flags));
  if (toTopic !== null && scope.topics.includes(toTopic)) {
    throw new Failure('invalid_value', `--to-topic is the dead-letter topic ${toTopic} itself`, {
      fix: 'name a topic that a processor reads',
    });
  }
  const signal = takeStopSignal(printer);
  const value = flags.value === undefined ? null : await correctedValue(flags.value, texts);
  const [{ redriveDeadLetters }, { readingOfAll }] = await Promise.all([
    import('../../../app/dlq/redrive.ts'),
    import('../../../app/offsets/reading.ts'),
  ]);
  const [access, { broker, codecOf }, newReplayId] = await Promise.all([
    openStoreOf(session),
    openForRun(session, { register: false }),
    openIds(),
  ]);
  const { group, topics: names } = settings;
  await redriveDeadLetters(
    { access, broker, codecOf, names, clock: systemClock, newReplayId },
    {
      scope,
      readings: readingOfAll({ group, names }),
      select,
      value,
      max,
      toTopic,
      maxRedrives,
      signal,
      execute: flags.execute === true,
      via: 'command',
      onNotice: (notice) => printNotice(printer, notice),
      on: (event) => printEvent(session, event),
    },
  );
}

async function printEvent({ printer, isJson }: Session, event: RedriveEvent): Promise<void> {
  const print = (text: string): Promise<void> => (isJson ? printer.data(text) : printer.text(text));
  if (event.kind === 'skipped') {
    const { id, reason, fix } = event;
    const message = fix === null ? event.message : `${event.message}; ${wayOut(fix)}`;
    printer.warn(`skipped ${id}: ${message}`);
    const document: SkippedDeadLetter = { type: 'skipped', id, reason, message };
    if (isJson) await printer.data(`${JSON.stringify(document)}\n`);
  } else if (event.kind === 'summary') {
    const { summary } = event;
    if (isJson) await printer.data(`${JSON.stringify(redriveSummaryDocument(summary))}\n`);
    else await printer.text(`${redriveSummaryText(summary)}\n`);
  } else if (event.kind === 'unknown') {
    const { ids, topic } = event;
    const lines = ids.map((id) =>
      isJson
        ? JSON.stringify({ type: 'unknown', id, topic } satisfies UnknownDeadLetter)
        : `unknown ${id} to ${topic}`,
    );
    await print(`${lines.join('\n')}\n`);
  } else {
    const { kind, steps } = event;
    const lines = steps.map((step) =>
      isJson ? JSON.stringify(stepDocument(kind, step)) : stepLine(kind, step),
    );
    await print(`${lines.join('\n')}\n`);
  }
}

/** @throws Failure usage: not exactly one dead letter is named; not_found, invalid_value */
async function correctedValue(file: string, ids: readonly string[]): Promise<Buffer> {
  if (ids.length !== 1) {
    throw new Failure('usage', '--value needs exactly one dead letter', { fix: 'name it by its id' });
  }
  return readBytes(file, { flag: '--value', what: 'the value, such as an order in JSON' });
}

function selection(texts: readonly string[], flags: RedriveFlags) {
  const filter = readFilter(flags, null);
  const filters = (['reason', 'since', 'until', 'originalTopic', 'originalGroup', 'all'] as const).filter(
    (name) => flags[name] !== undefined,
  );
  if (texts.length > 0 && filters.length > 0) {
    const flag = (filters[0] ?? '').replace(/[A-Z]/, (capital) => `-${capital.toLowerCase()}`);
    throw new Failure('usage', `ids and --${flag} cannot be combined`, { fix: 'use ids or filters' });
  }
  if (texts.length > 0) return { ids: texts.map(parseDeadLetterId) };
  if (filters.length > 0) return { filter };
  throw new Failure('usage', 'no dead letters are selected', {
    fix: 'name ids, or select them with --all, --reason, --since, --until, --original-topic or --original-group',
  });
}
