import type { Command } from 'commander';
import { openStore, systemClock } from '../../compose.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import type { StoreAccess } from '../../ports/store.ts';
import { takeStopSignal } from '../exit.ts';
import { describe } from '../help.ts';
import { statusDocument, statusLine, statusLines, type Asked } from '../output/status.ts';
import type { Session } from '../session.ts';

const EVERY_MS = 1_000;

export function register(program: Command, session: Session): void {
  describe(program.command('status'), {
    summary: 'state of the running consumer',
    prose:
      'Asks the consumer that runs on the storage folder how it is: its state and what it waits for, orders a ' +
      'second (over the last ten), lag, decisions by outcome since it started, and when it committed last. It ' +
      'answers itself, so no broker is needed. Exit code 3 when none runs; 5 when it does not answer, because ' +
      'it is paused or very busy.\n\n' +
      '--watch asks each second until Ctrl-C (0): on a terminal as a screen that is drawn again in place, ' +
      'elsewhere one line, or with -o json one document, a second. It goes on while no consumer runs.',
    examples: [
      ['orderctl status', 'once'],
      ['orderctl status --watch', 'a live screen'],
      ['orderctl status -o json | jq .lag', 'one number, for a script'],
    ],
  })
    .option('--watch', 'ask each second until Ctrl-C')
    .action(async (flags: { watch?: true }) => {
      const access = await openStore(session.settings.storage);
      if (flags.watch === true) await watch(session, access);
      else await show(session, access);
    });
}

async function show({ printer, isJson }: Session, access: StoreAccess): Promise<void> {
  const asked = (await access.consumerStatus()) ?? 'none';
  if (isJson) await printer.data(`${JSON.stringify(statusDocument(asked))}\n`);
  if (asked === 'none') {
    throw new Failure('not_found', `no consumer runs on ${access.folder}`, {
      fix: 'start one with: orderctl consume; or name its folder with --storage',
    });
  }
  if (!isJson) await printer.data(statusLines(asked, access.folder, systemClock.now()).join('\n') + '\n');
}

async function watch(session: Session, access: StoreAccess): Promise<void> {
  const { printer, isJson } = session;
  const signal = takeStopSignal(printer, null);
  let drawn = 0;
  while (!signal.aborted) {
    const asked = await ask(access);
    const now = systemClock.now();
    if (isJson) await printer.data(`${JSON.stringify(statusDocument(asked))}\n`);
    else if (!printer.isDataLive) await printer.data(`${statusLine(asked, access.folder, now)}\n`);
    else {
      // A line that wraps would take two lines of the screen.
      const width = printer.dataColumns ?? Infinity;
      const lines = statusLines(asked, access.folder, now).map((line) => line.slice(0, width - 1));
      await printer.data(`${upAndClear(drawn)}${lines.join('\n')}\n`);
      drawn = lines.length;
    }
    await systemClock.sleep(EVERY_MS, signal);
  }
}

async function ask(access: StoreAccess): Promise<Asked> {
  try {
    return (await access.consumerStatus()) ?? 'none';
  } catch (error) {
    if (!isFailure(error, 'owner_unreachable')) throw error;
    return 'silent';
  }
}

/** ECMA-48: cursor up, then erase to the end of the screen. */
function upAndClear(lines: number): string {
  return lines === 0 ? '' : `\u001B[${lines}A\u001B[J`;
}
