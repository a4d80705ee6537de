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
        'Runs processors on the storage folder, all of them unless some are named. Each reads its topics in a ' +
        'consumer group of its own (orders in --group, any other in GROUP.NAME), and commits what it decides together ' +
        'with its positions, the messages to be sent and the effects to be performed; those follow after the commit. ' +
        'One process at a time runs on a folder. Ctrl-C finishes what is in hand. "orderctl consume" is "orderctl run ' +
        'orders" with more flags.\n\n' +
        '--until-end stops when everything is read that was there at the start, and what the processors sent to each ' +
        'other; nothing waits to be sent, and no effect is due. A missing topic is created; with --no-create the exit ' +
        'code is 3 instead.',
      examples: [
        ['orderctl run', 'all processors, until Ctrl-C'],
        ['orderctl run orders --until-end', 'decide what is there, announce the stock, then stop'],
      ],
    })
      .argument('[NAME...]', 'of processors (default: all)')
      .option('--until-end', 'stop when all is done that was there at the start')
      .option('--adopt', "take over another folder's consumer groups")
      .option('--allow-empty', 'go on without users or items: all is rejected')
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
          // As a service manager does it, so that it takes no longer either.
          if (event.kind === 'stop_asked' && !signal.aborted) process.kill(process.pid, 'SIGTERM');
        },
      },
    );
  } finally {
    mailer?.close();
    report.close();
  }
}
