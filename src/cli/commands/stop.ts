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
      'Asks the consumer that runs on the storage folder to finish what it has in hand and leave its group, and ' +
      'waits for that, 10 seconds at most. Exit code 3 when none runs; 5 when it does not answer, because it is ' +
      'paused, or has not ended in time.\n\n' +
      '--kill ends it in these two cases, after making sure that the process is the one that owns the folder: a ' +
      'number alone may be another program by now. Nothing that was decided is lost by it.\n\n' +
      'Several consume on one database: all of them are stopped, or the one that is named by its number, or by ' +
      'HOST:PID, as status shows them. One that --kill shuts out there changes nothing more, and leaves when it wakes.',
    examples: [
      ['orderctl stop', 'before a backup'],
      ['orderctl stop --kill', 'when it is paused or hangs'],
    ],
  })
    .option('--kill', 'end one that does not answer or does not end')
    .argument('[INSTANCE]', 'its number, or HOST:PID; by default all')
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
        ? `killed process ${pid}: what it had in hand is recovered by the next orderctl consume\n`
        : `process ${pid} has finished and left, after ${duration(afterMs)}\n`,
    );
  }
}
