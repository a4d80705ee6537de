import type { Command } from 'commander';
import type { ConsumeOptions, ConsumeOrdersEvent } from '../../app/run/events.ts';
import { consumeOrders } from '../../app/run/consume.ts';
import { openStore, systemClock } from '../../compose.ts';
import { Failure } from '../../domain/failure.ts';
import { takeStopSignal } from '../exit.ts';
import { describe, offering } from '../help.ts';
import { openForRun } from '../kafka/open.ts';
import { addMetricsFlags, serveMetrics, type MetricsFlags } from '../metrics/port.ts';
import { partitionList, RESET_WORDS, resetPlace, wholeNumber } from '../parse.ts';
import { ConsumeReport } from '../output/consume/report.ts';
import type { Session } from '../session.ts';
import { tracerOf } from '../tracing/open.ts';
import { shopOf } from '../settings/shop.ts';

interface Flags extends MetricsFlags {
  untilEnd?: true;
  maxMessages?: string;
  reset?: true;
  resetTo?: string;
  partitions?: string;
  each?: true;
  adopt?: true;
  newId?: true;
  allowEmpty?: true;
  /** Commander's negation of --no-create. */
  create: boolean;
}

export function register(command: Command, session: Session): void {
  addMetricsFlags(
    describe(command, {
      prose:
        'Processes orders from the topic, each exactly once: decision and position are stored in one commit. Accepted ' +
        'orders go to orders.jsonl and reduce the stock, rejected ones go to rejections.jsonl with the reason, and ' +
        'records that are not orders go to the dead-letter topic. Runs until Ctrl-C, which finishes the work in ' +
        'progress; a second Ctrl-C exits at once, which is safe too.\n\n' +
        'Reading continues from the stored position. --reset reads everything again, which changes nothing; --reset-to ' +
        'accepts earliest, latest, current, an offset, +N or -N records, a time ago (2h) or a time.\n\n' +
        'A folder has one consumer (a second one exits with 4); on PostgreSQL any number share the partitions. A copy ' +
        'of a folder that is in use needs --new-id and a --group of its own. A folder without users or items is ' +
        'refused (3), since every order would be rejected for good.',
      examples: [
        ['orderctl consume', 'run until Ctrl-C'],
        ['orderctl consume --until-end', 'process all unread orders, then stop'],
      ],
    })
      .option('--until-end', 'stop at the end offsets seen at the start')
      .option('--max-messages <N>', 'stop after N records')
      .option('--reset', 'start again from the earliest offset')
      .addOption(offering('--reset-to <WHERE>', 'start from there, as for offsets reset --to', RESET_WORDS))
      .option('--partitions <LIST>', 'reset only these, such as 0,2')
      .option('--each', 'print every decision to stdout')
      .option('--adopt', "take over another folder's consumer group")
      .option('--new-id', 'give this folder, a copy, an id of its own first')
      .option('--allow-empty', 'run without users or items, rejecting all orders')
      .option('--no-create', 'do not create missing topics'),
  ).action(async (flags: Flags) => {
    await consume(session, flags);
  });
}

async function consume(session: Session, flags: Flags): Promise<void> {
  const { settings, printer } = session;
  const request = readFlags(flags);
  const signal = takeStopSignal(printer);
  const access = await openStore(settings);
  const { broker, codecOf } = await openForRun(session, { register: flags.create });
  await using metrics = await serveMetrics(session, flags);
  const { meter } = metrics;
  const tracer = await tracerOf(session);
  const report = new ConsumeReport(session, {
    ...request,
    isEach: flags.each === true,
    status: () => access.consumerStatus(),
    startBar: session.isLive ? (await import('../output/progress.ts')).startBar : null,
  });
  const options: ConsumeOptions = {
    names: settings.topics,
    shop: shopOf(settings),
    group: settings.group,
    ...request,
    signal,
    on: (event: ConsumeOrdersEvent) => {
      report.take(event);
      // Stop as for a service manager, with the same time limit.
      if (event.kind === 'stop_asked' && !signal.aborted) process.kill(process.pid, 'SIGTERM');
    },
  };
  try {
    await consumeOrders({ access, broker, codecOf, clock: systemClock, meter, tracer }, options);
  } finally {
    report.close();
  }
}

type Request = Pick<
  ConsumeOptions,
  'untilEnd' | 'maxMessages' | 'reset' | 'adopt' | 'newId' | 'allowEmpty' | 'create'
>;

function readFlags(flags: Flags): Request {
  const isReset = flags.reset === true || flags.resetTo !== undefined;
  if (flags.partitions !== undefined && !isReset) {
    throw new Failure('usage', '--partitions needs --reset or --reset-to', {
      fix: 'add --reset-to earliest, latest, an offset, 2h or a time; a consumer always reads all partitions',
    });
  }
  const partitions = flags.partitions === undefined ? null : partitionList('--partitions', flags.partitions);
  const to =
    flags.resetTo === undefined ? 'earliest' : resetPlace('--reset-to', flags.resetTo, systemClock.now());
  return {
    untilEnd: flags.untilEnd === true,
    maxMessages:
      flags.maxMessages === undefined ? null : wholeNumber('--max-messages', flags.maxMessages, { min: 1 }),
    reset: isReset ? { to, partitions } : null,
    adopt: flags.adopt === true,
    newId: flags.newId === true,
    allowEmpty: flags.allowEmpty === true,
    create: flags.create,
  };
}
