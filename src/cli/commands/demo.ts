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
      'Plays the whole story with the real commands, on a Kafka and a schema registry of its own in a temporary ' +
      'folder: users and stock are added, orders come in, the consumer is killed with -9 in the middle of them ' +
      'and started again, everything is read a second time and sent a second time. In the end it counts from ' +
      'the files whether any order counted twice or was lost, and prints a line for each promise.\n\n' +
      'It needs nothing, leaves nothing behind and ignores settings. Ctrl-C ends it. If a promise was not kept, ' +
      'the exit code is 6 and the folder is kept for you to look into.',
    examples: [
      ['orderctl demo', 'see it'],
      ['orderctl demo -o json', 'the promises and whether they held, for a script'],
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
    `A shop in ${stage.folder}, with a Kafka and a schema registry of its own; all of it is gone afterwards.\n` +
      'What follows a $ is really run.',
  );
  const promises = checkPromises(await playOnOwnKafka(stage, session));
  const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
  const broken = promises.filter(({ ok }) => !ok).length;
  printer.info('');
  const document: Demo = { ok: broken === 0, promises, seconds };
  await printer.data(session.isJson ? `${JSON.stringify(document)}\n` : inWords(promises, seconds, session));
  if (broken === 0) {
    printer.info(
      '\nTo see a shop like this one in a browser, and to break it yourself: orderctl up --sample 5',
    );
    return;
  }
  stage.keep();
  throw new Failure('check_failed', `${broken} of ${promises.length} promises were not kept`, {
    fix: `look into ${stage.folder}, which is kept, and report it`,
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

function inWords(promises: readonly Promised[], seconds: number, { printer }: Session): string {
  const { green, red } = printer.dataColours;
  const lines = promises.map(
    ({ promise, ok, detail }) => `${ok ? green('✓') : red('✗')} ${promise}: ${detail}`,
  );
  return `${[...lines, `done in ${seconds} s`].join('\n')}\n`;
}
