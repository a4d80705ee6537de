import type { Command } from 'commander';
import { replayOrders, type ReplayOptions } from '../../app/send/replay.ts';
import { openIds, systemClock } from '../../compose.ts';
import { takeStopSignal } from '../exit.ts';
import { describe } from '../help.ts';
import { openKafka } from '../kafka/open.ts';
import { delay, takingDecisions, timeRange, wholeNumber, type TimeFlags } from '../parse.ts';
import { SendReport } from '../output/send-report.ts';
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
      'Sends the orders of orders.jsonl again, in their order, with the same ids and keys. Their ids are ' +
      'decided, so consuming them from the live topic changes nothing; --to-topic sends them elsewhere. ' +
      '--as-new sends them under new ids, so that they are decided again; --rejected --as-new does that with the ' +
      'orders of rejections.jsonl. --rejected needs --as-new, because a decision is final (4 for --order with ' +
      'the id of a rejected order).\n\n' +
      'A new id follows from the old one and the number of the try: ORD-7.r1, and ORD-7.r2 once that was rejected. ' +
      'So sending it twice makes a duplicate, and an order is fulfilled once. One whose last try was accepted is ' +
      'left out unless --again is given (4 for --order).\n\n' +
      'The flags that select go together: an order is sent when all of them hold. --since is inclusive, --until ' +
      'exclusive, both refer to the time of the decision. An empty log sends nothing, 0. Orders that cannot be sent, such as ' +
      'those with a quantity that is not whole, are named and left out, and make it 6 in the end. Ctrl-C: 130, with the ' +
      '--resume-after to continue with.',
    examples: [
      ['orderctl replay --dry-run', 'what would be sent'],
      ['orderctl replay', 'all accepted orders again'],
      ['orderctl replay --rejected --user bob --as-new', "bob has paid: try bob's orders again"],
      ['orderctl replay --since 2026-11-21T00:00:00Z --to-topic orders-copy', "a day's orders, elsewhere"],
    ],
  })
    .option('--delay <SECONDS>', 'between two orders (default 0)')
    .option('--order <ID>', 'only this order');
  takingDecisions(command)
    .option('--to-topic <NAME>', 'send to this topic instead')
    .option('--rejected', 'rejected orders instead of accepted ones')
    .option('--as-new', 'under new ids: they are decided again')
    .option('--again', 'with --as-new: also those whose last try was accepted')
    .option('--dry-run', 'only print what would be sent')
    .option('--resume-after <ID>', 'leave out everything up to this order')
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
