import type { Command } from 'commander';
import type { Stopped } from '../../documents/status.ts';
import { openStore, systemClock } from '../../compose.ts';
import { describe } from '../help.ts';
import { duration } from '../output/text.ts';
import type { Session } from '../session.ts';
import { failForNoConsumer } from '../store.ts';

export function register(command: Command, session: Session): void {
  describe(command, {
    prose:
      'Asks the consumer that runs on the storage folder to finish its work in progress and leave its group, and waits ' +
      'up to 10 seconds. Exit code 3 if none runs; 5 if it does not answer, because it is paused, or does not end in ' +
      'time.\n\n' +
      '--kill kills it in these two cases, after verifying that the process is the one that owns the folder, since the ' +
      'process number may have been reused. No decision is lost.\n\n' +
      'A database may have several consumers: all of them are stopped, or the one given by its number or HOST:PID, as ' +
      '"orderctl status" shows them. There, --kill locks a consumer out: it can change nothing more, and exits when it ' +
      'resumes.',
    examples: [
      ['orderctl stop', 'stop the consumer'],
      ['orderctl stop --kill', 'even if it is paused or hangs'],
    ],
  })
    .option('--kill', 'kill a consumer that does not answer or does not end')
    .argument('[INSTANCE]', 'number of the consumer, or HOST:PID (default: all)')
    .action(async (instance: string | undefined, flags: { kill?: true }) => {
      await stop(session, { kill: flags.kill === true, ...(instance === undefined ? {} : { instance }) });
    });
}

async function stop(
  { printer, settings, isJson }: Session,
  which: { readonly kill: boolean; readonly instance?: string },
): Promise<void> {
  const access = await openStore(settings);
  const from = systemClock.now();
  const found = await access.stopConsumer(which);
  const afterMs = systemClock.now() - from;
  if (isJson) {
    const document: Stopped = {
      stopped: found !== null,
      pid: found?.pid ?? null,
      killed: found?.killed ?? false,
      instances: found?.instances?.map((one) => ({ ...one })) ?? null,
      seconds: found === null ? null : afterMs / 1000,
    };
    await printer.data(`${JSON.stringify(document)}\n`);
  }
  if (found === null) {
    return failForNoConsumer(access, 'name its folder with --storage; see: orderctl doctor');
  }
  if (isJson) return;
  for (const { pid, killed } of found.instances ?? [found]) {
    await printer.text(
      killed
        ? `killed process ${pid}; the next orderctl consume recovers its work in progress\n`
        : `process ${pid} finished its work and exited after ${duration(afterMs)}\n`,
    );
  }
}
