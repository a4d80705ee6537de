import type { Command } from 'commander';
import { openStore, systemClock } from '../../compose.ts';
import type { RecentBoard } from '../../app/status/recent.ts';
import { showStatus, type FolderStatus } from '../../app/status/show.ts';
import type { StoreAccess } from '../../ports/access.ts';
import { takeStopSignal } from '../exit.ts';
import { describe } from '../help.ts';
import { wayOut } from '../hints.ts';
import {
  fitting,
  recentLines,
  statusDocument,
  statusLine,
  statusLines,
  statusScreen,
} from '../output/status.ts';
import type { Session } from '../session.ts';
import { failForNoConsumer } from '../store.ts';

const EVERY_MS = 1_000;

export function register(command: Command, session: Session): void {
  describe(command, {
    prose:
      'Asks the consumer that runs on the storage folder for its state and what it waits for, orders a ' +
      'second (over the last ten), lag, decisions by outcome since it started, and when it committed last. It ' +
      'answers itself, so no broker is needed. Exit code 3 when none runs; 5 when it does not answer, because ' +
      'it is paused or very busy. A CSV that is broken, or was kept aside, is shown as well. A user who ' +
      'may not ask the consumer sees what the folder shows (0).\n\n' +
      '--watch asks each second until Ctrl-C (0): on a terminal as a screen that is drawn again in place, with reasons ' +
      'and items of the latest 1,000 decisions and what is low in stock; ' +
      'elsewhere one line, or with -o json one document, a second.',
    examples: [
      ['orderctl status', 'once'],
      ['orderctl status --watch', 'a live screen'],
    ],
  })
    .option('--watch', 'ask each second until Ctrl-C')
    .action(async (flags: { watch?: true }) => {
      const access = await openStore(session.settings);
      if (flags.watch === true) await watch(session, access);
      else await show(session, access);
    });
}

async function show(session: Session, access: StoreAccess): Promise<void> {
  const { printer, isJson } = session;
  const status = await showStatus(access);
  const { consumer, problem } = status;
  if (consumer === 'silent' && problem !== null) throw problem;
  warnOfProblem(session, status);
  if (isJson) await printer.data(`${JSON.stringify(statusDocument(status))}\n`);
  else {
    const lines = statusLines(status, access.name, systemClock.now());
    // That none runs is said by the failure.
    for (const line of lines.slice(consumer === 'none' ? 1 : 0)) {
      await printer.text(`${line}\n`);
    }
  }
  if (consumer === 'none') {
    await failForNoConsumer(access, 'start one with: orderctl consume; or name its folder with --storage');
  }
}

function warnOfProblem({ printer }: Session, { consumer, problem }: FolderStatus): void {
  if (problem === null) return;
  const what = consumer === 'unknown' ? 'whether a consumer runs' : 'which files count as they are';
  const way = problem.fix === null ? '' : ` (${wayOut(problem.fix)})`;
  printer.warn(`${what} is not known: ${problem.message}${way}`);
}

async function watch(session: Session, access: StoreAccess): Promise<void> {
  const { printer, isJson } = session;
  const signal = takeStopSignal(printer, null);
  const board =
    isJson || !printer.isDataLive
      ? null
      : await recentBoard(access, signal, Number(session.settings.lowStock));
  let drawn = 0;
  let problem: string | undefined;
  while (!signal.aborted) {
    const status = await showStatus(access);
    if (problem !== status.problem?.message) warnOfProblem(session, status);
    problem = status.problem?.message;
    const now = systemClock.now();
    if (isJson) await printer.data(`${JSON.stringify(statusDocument(status))}\n`);
    else if (!printer.isDataLive) await printer.data(`${statusLine(status, access.name, now)}\n`);
    else {
      // A line that the terminal breaks would not be counted.
      const width = Math.max(1, (printer.dataColumns ?? Infinity) - 1);
      const recent = (await board?.look().catch(() => null)) ?? null;
      const text = [
        ...statusLines(status, access.name, now),
        ...(recent === null ? [] : recentLines(recent)),
      ];
      // The last row is the cursor's.
      const lines = fitting(statusScreen(text, width), Math.max(1, (printer.dataRows ?? Infinity) - 1));
      await printer.data(`${upAndClear(drawn)}${lines.join('\n')}\n`);
      drawn = lines.length;
    }
    await systemClock.sleep(EVERY_MS, signal);
  }
}

async function recentBoard(access: StoreAccess, signal: AbortSignal, lowStock: number): Promise<RecentBoard> {
  const { RecentBoard: Board } = await import('../../app/status/recent.ts');
  return new Board(access, systemClock, signal, lowStock);
}

/** ECMA-48: cursor up, then erase to the end of the screen. */
function upAndClear(lines: number): string {
  return lines === 0 ? '' : `\u001B[${lines}A\u001B[J`;
}
