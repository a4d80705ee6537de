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
      'Shows the state of the consumer that runs on the storage folder: what it waits for, orders per second (over the ' +
      'last ten seconds), lag, decisions by outcome since it started, and its last commit. The consumer itself ' +
      'answers, so no broker is needed. Exit code 3 if none runs; 5 if it does not answer, because it is paused or ' +
      'very busy. CSV files that are invalid or were set aside are listed too. A user without permission to ask the ' +
      'consumer sees only the state of the folder (0).\n\n' +
      '--watch updates every second until Ctrl-C (0): on a terminal as a live screen, with reasons and items of the ' +
      'latest 1,000 decisions and items low in stock; otherwise as one line, or with -o json one document, per second.',
    examples: [
      ['orderctl status', 'show it once'],
      ['orderctl status --watch', 'a live screen'],
    ],
  })
    .option('--watch', 'update every second until Ctrl-C')
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
    // The failure below reports that none runs.
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
  const what = consumer === 'unknown' ? 'whether a consumer runs' : 'which files are applied';
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
      // A line that the terminal wraps would count as one when the screen is cleared.
      const width = Math.max(1, (printer.dataColumns ?? Infinity) - 1);
      const recent = (await board?.look().catch(() => null)) ?? null;
      const text = [
        ...statusLines(status, access.name, now),
        ...(recent === null ? [] : recentLines(recent)),
      ];
      // The cursor needs the last row.
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

/** Moves the cursor up, then erases to the end of the screen (ECMA-48). */
function upAndClear(lines: number): string {
  return lines === 0 ? '' : `\u001B[${lines}A\u001B[J`;
}
