import type { Command } from 'commander';
import { replayOrders, type ReplayOptions } from '../../app/send/replay.ts';
import { openIds, systemClock } from '../../compose.ts';
import { takeStopSignal } from '../exit.ts';
import { describe } from '../help.ts';
import { openKafka } from '../kafka/open.ts';
import { delay, takingDecisions, timeRange, wholeNumber, type TimeFlags } from '../parse.ts';
import { SendReport } from '../output/send/report.ts';
import type { Session } from '../session.ts';
import { openStoreOf } from '../store.ts';
import { checkTopicName } from '../settings/values.ts';

interface Flags extends TimeFlags {
  delay?: string;
  order?: string;
  user?: string;
  item?: string;
  limit?: string;
  toTopic?: string;
  rejected?: true;
  asNew?: true;
  again?: true;
  dryRun?: true;
  resumeAfter?: string;
  /** Commander's negations. */
  create: boolean;
  register: boolean;
}

export function register(command: Command, session: Session): void {
  describe(command, {
    prose:
      'Sends the accepted orders of orders.jsonl again, with the same ids and keys. Since their ids are decided already, ' +
      'consuming them changes nothing; --to-topic sends them to another topic. --as-new sends them under new ids, ' +
      'to be decided again; --rejected --as-new does so for rejected orders: ORD-7.r1, then ORD-7.r2 if that was ' +
      'rejected too. To fulfil each order only once, orders whose last attempt was accepted are skipped (4 with ' +
      '--order), unless --again is given.\n\n' +
      'An order must match all filters; --since is inclusive, --until exclusive. Orders that cannot be sent are reported ' +
      'and skipped (exit code 6). Ctrl-C exits with 130 and prints the --resume-after to continue with.',
    examples: [
      ['orderctl replay --dry-run', 'show what would be sent'],
      ['orderctl replay --rejected --user bob --as-new', "try bob's rejected orders again"],
    ],
  })
    .option('--delay <SECONDS>', 'pause between two orders (default 0)')
    .option('--order <ID>', 'only this order');
  takingDecisions(command)
    .option('--to-topic <NAME>', 'send to this topic instead')
    .option('--rejected', 'send rejected orders instead of accepted ones')
    .option('--as-new', 'send under new ids, to be decided again')
    .option('--again', 'with --as-new: even if the last attempt was accepted')
    .option('--dry-run', 'only print what would be sent')
    .option('--resume-after <ID>', 'skip everything up to this order')
    .option('--no-register', 'do not register the schema')
    .option('--no-create', 'do not create a missing topic')
    .action(async (flags: Flags) => {
      await replay(session, flags);
    });
}

async function replay(session: Session, flags: Flags): Promise<void> {
  const { settings, printer } = session;
  const request = readFlags(flags);
  const topic = flags.toTopic === undefined ? settings.topic : checkTopicName(flags.toTopic, '--to-topic');
  const signal = takeStopSignal(printer);
  const access = await openStoreOf(session);
  const { broker, codec } = await openKafka(session, { topic, register: flags.register });
  const newReplayId = await openIds();
  const report = await SendReport.open(session, 'replay', null);
  try {
    await replayOrders(
      { access, broker, codec, clock: systemClock, newReplayId },
      { ...request, topic, signal, on: (event) => report.take(event) },
    );
  } finally {
    report.close();
  }
}

function readFlags(flags: Flags): Omit<ReplayOptions, 'topic' | 'signal' | 'on'> {
  const given = <T>(text: string | undefined, read: (text: string) => T): T | null =>
    text === undefined ? null : read(text);
  return {
    orderId: flags.order ?? null,
    user: flags.user ?? null,
    item: flags.item ?? null,
    ...timeRange(flags, systemClock.now()),
    limit: given(flags.limit, (text) => wholeNumber('--limit', text, { min: 1 })),
    resumeAfter: flags.resumeAfter ?? null,
    rejected: flags.rejected === true,
    asNew: flags.asNew === true,
    again: flags.again === true,
    dryRun: flags.dryRun === true,
    delayMs: given(flags.delay, (text) => delay('--delay', text)) ?? 0,
    create: flags.create,
  };
}
