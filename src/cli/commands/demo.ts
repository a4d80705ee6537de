import { join } from 'node:path';
import type { Command } from 'commander';
import type { Demo } from '../../documents/development.ts';
import { Failure } from '../../domain/failure.ts';
import { checkPromises, type Evidence, type Promised } from '../demo/checks.ts';
import { Stage } from '../demo/stage.ts';
import { play } from '../demo/story.ts';
import { takeStopSignal } from '../exit.ts';
import { describe } from '../help.ts';
import type { Session } from '../session.ts';
import { startServices } from './dev.ts';

export function register(command: Command, session: Session): void {
  describe(command, {
    prose:
      'Demonstrates exactly-once processing with the real commands, on a Kafka broker and a schema registry of its own in ' +
      'a temporary folder: users and stock are added, orders arrive, the consumer is killed with kill -9 and restarted, ' +
      'and all orders are read and sent a second time. At the end it checks the files for orders that were lost or ' +
      'counted twice, and prints a line for each guarantee.\n\n' +
      'It needs no services, leaves nothing behind and ignores settings. Ctrl-C ends it. If a guarantee was not kept, ' +
      'the exit code is 6 and the folder is kept for inspection.',
    examples: [
      ['orderctl demo', 'run the demonstration'],
      ['orderctl demo -o json', 'print the results for a script'],
    ],
  }).action(async () => {
    await demo(session);
  });
}

async function demo(session: Session): Promise<void> {
  const { printer } = session;
  const startedAt = performance.now();
  const signal = takeStopSignal(printer);
  const stage = new Stage(printer, signal);
  printer.info(
    `A shop in ${stage.folder}, with a Kafka broker and a schema registry of its own; all of it is deleted at the end.\n` +
      'Each command after a $ is really run.',
  );
  const promises = checkPromises(await playOnOwnKafka(stage, session));
  const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
  const broken = promises.filter(({ ok }) => !ok).length;
  printer.info('');
  const document: Demo = { ok: broken === 0, promises, seconds };
  await printer.data(
    session.isJson ? `${JSON.stringify(document)}\n` : resultText(promises, seconds, session),
  );
  if (broken === 0) {
    printer.info(
      '\nTo watch a shop like this one in a browser, and to break it yourself: orderctl up --sample 5',
    );
    return;
  }
  stage.keep();
  throw new Failure('check_failed', `${broken} of ${promises.length} promises were not kept`, {
    fix: `inspect ${stage.folder}, which is kept, and report the failure`,
  });
}

async function playOnOwnKafka(stage: Stage, { printer }: Session): Promise<Evidence> {
  const services = await startServices({
    host: '127.0.0.1',
    port: 0,
    registryPort: 0,
    gatewayPort: null,
    dataDir: join(stage.folder, 'kafka'),
    warn: (message) => printer.warn(message),
  });
  try {
    stage.useSettings({ brokers: services.broker, registry: services.registry });
    return await play(stage);
  } finally {
    await services.stop();
  }
}

function resultText(promises: readonly Promised[], seconds: number, { printer }: Session): string {
  const { green, red } = printer.dataColours;
  const lines = promises.map(
    ({ promise, ok, detail }) => `${ok ? green('✓') : red('✗')} ${promise}: ${detail}`,
  );
  return `${[...lines, `done in ${seconds} s`].join('\n')}\n`;
}
