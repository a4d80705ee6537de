import type { Command } from 'commander';
import { runShop } from '../../app/run/shop.ts';
import { openOutside, openStore, openTexts, systemClock } from '../../compose.ts';
import { DISPATCH_PERFORMERS } from '../../app/run/performers/dispatch.ts';
import { deliveryPerformers } from '../../app/run/performers/delivery.ts';
import { paymentPerformers } from '../../app/run/performers/payment.ts';
import { takeStopSignal } from '../exit.ts';
import { describe } from '../help.ts';
import { openForRun } from '../kafka/open.ts';
import { addMetricsFlags, serveMetrics, type MetricsFlags } from '../metrics/port.ts';
import { RunReport } from '../output/run/report.ts';
import type { Session } from '../session.ts';
import { tracerOf } from '../tracing/open.ts';
import { deliveryOf, gatewayOf as gatewayWayOf, shopOf } from '../settings/shop.ts';
import { durationMs } from '../settings/values.ts';

interface Flags extends MetricsFlags {
  readonly untilEnd?: true;
  readonly adopt?: true;
  readonly allowEmpty?: true;
  /** Commander's negation of --no-create. */
  readonly create: boolean;
}

export function register(command: Command, session: Session): void {
  addMetricsFlags(
    describe(command, {
      prose:
        'Runs the named processors, or all, on the storage folder. Each reads its topics in a consumer group of its own ' +
        '(--group for orders, GROUP.NAME for the others), and commits its results together with its positions, the ' +
        'messages to send and the effects to perform; these are sent and performed after the commit. Only one process ' +
        'at a time can run on a folder. Ctrl-C finishes the work in progress. "orderctl consume" is "orderctl run ' +
        'orders" with more flags.\n\n' +
        '--until-end stops when all records that existed at the start, and those that the processors sent to each ' +
        'other, have been read, no message is pending and no effect is due. Missing topics are created; with ' +
        '--no-create the exit code is 3 instead.',
      examples: [
        ['orderctl run', 'run all processors until Ctrl-C'],
        ['orderctl run orders --until-end', 'process all unread orders, then stop'],
      ],
    })
      .argument('[NAME...]', 'names of processors (default: all)')
      .option('--until-end', 'stop when all work that existed at the start is done')
      .option('--adopt', "take over another folder's consumer groups")
      .option('--allow-empty', 'run without users or items, rejecting all orders')
      .option('--no-create', 'do not create missing topics'),
  ).action(async (names: readonly string[], flags: Flags) => {
    await runAll(session, names, flags);
  });
}

async function runAll(session: Session, processors: readonly string[], flags: Flags): Promise<void> {
  const { settings, printer } = session;
  const signal = takeStopSignal(printer);
  const access = await openStore(settings);
  const texts = await openTexts(settings);
  const { broker, codecOf } = await openForRun(session, { register: flags.create });
  const { mailer, webhook, gatewayOf } = await openOutside(
    deliveryOf(session.resolved),
    gatewayWayOf(session.resolved),
  );
  await using metrics = await serveMetrics(session, flags);
  const { meter } = metrics;
  const tracer = await tracerOf(session);
  const report = new RunReport(session);
  try {
    await runShop(
      {
        access,
        broker,
        codecOf,
        clock: systemClock,
        meter,
        tracer,
        performers: (store) => ({
          ...deliveryPerformers({ mailer, webhook, log: (text) => printer.info(text) }),
          ...DISPATCH_PERFORMERS,
          ...paymentPerformers({
            gateway: gatewayOf(store),
            clock: systemClock,
            keyTtlMs: durationMs(settings.gatewayKeyTtl),
          }),
        }),
      },
      {
        processors,
        texts,
        shop: shopOf(settings),
        group: settings.group,
        names: settings.topics,
        signal,
        untilEnd: flags.untilEnd === true,
        adopt: flags.adopt === true,
        allowEmpty: flags.allowEmpty === true,
        create: flags.create,
        on: (event) => {
          report.take(event);
          // Stop as for a service manager, with the same time limit.
          if (event.kind === 'stop_asked' && !signal.aborted) process.kill(process.pid, 'SIGTERM');
        },
      },
    );
  } finally {
    mailer?.close();
    report.close();
  }
}
