import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { openStore } from '../../compose.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import { checkWhy } from '../../domain/edit.ts';
import type { StoreAccess } from '../../ports/access.ts';
import type { StoreNotice } from '../../ports/notices.ts';
import type { TableCopy, TableMerge } from '../../ports/table-copy.ts';
import { confirm } from '../ask.ts';
import { printNotice } from '../output/store-notices.ts';
import { wayOut } from '../hints.ts';
import { count } from '../output/text.ts';
import { printMerge } from './print-merge.ts';
import type { WhyFlag } from './why.ts';
import type { Session } from '../session.ts';

export interface EditOptions extends WhyFlag {
  with?: string;
  resume?: string;
  settled?: true;
  yes?: true;
}

export type EditedTable = 'users' | 'inventory';

/** Characters that need a shell; the same as in git (run-command.c). */
const FOR_SHELL = /[|&;<>()$`\\"'*?[#~=%]/;
/** Exit codes of a shell: the program is not executable, or was not found. */
const NOT_RUN = new Set([126, 127]);
/** An editor that returns sooner did not wait for the user. */
const AT_ONCE_MS = 1_000;

/** Runs `user edit` or `inventory edit`. @throws Failure those of the editor, of the copy and of its merge */
export async function editTable(
  session: Session,
  { table, command }: { table: EditedTable; command: string },
  options: EditOptions,
): Promise<void> {
  const { printer } = session;
  if (options.why !== undefined) checkWhy(options.why);
  const program = editorOf(session, options.with);
  const access = await openStore(session.settings);
  const aside = keptAside(access, table);
  if (aside.length > 0) printer.info(`set aside, for you to check: ${aside.join(', ')}`);
  let isBrokenReported = false;
  const onNotice = (notice: StoreNotice): void => {
    const isRepeated = notice.kind === 'file_broken' && isBrokenReported;
    isBrokenReported ||= notice.kind === 'file_broken';
    if (!isRepeated) printNotice(printer, notice);
  };
  const copy = await access.copyTable(table, { kept: options.resume, onNotice });
  let isKept = true;
  try {
    const isAtOnce = await edited(copy, program);
    const merge = copy.isChanged()
      ? await merged(copy, { session, program, why: options.why, yes: options.yes === true, onNotice })
      : null;
    isKept = false;
    const settled = options.settled === true && merge !== null ? aside : [];
    for (const file of settled) rmSync(file, { force: true });
    for (const file of settled) printer.info(`removed ${file}`);
    await printMerge(session, { table, merge: merge ?? NO_CHANGE, more: { settled } });
    if (merge === null && isAtOnce) {
      printer.info(`${program} returned at once: an editor that does not wait needs a flag for that`);
    }
    if (aside.length > 0 && settled.length === 0) {
      printer.info(
        `still set aside: ${aside.join(', ')}; make its changes with --settled, which then deletes it, or delete it`,
      );
    }
  } catch (error) {
    isKept = isKept && copy.isChanged();
    if (!isKept || !(error instanceof Failure)) throw error;
    throw withCopy(error, copy, command);
  } finally {
    if (!isKept) copy.discard();
  }
}

/** Merges the copy; as long as a cell is invalid, asks the user on a terminal to edit it again. */
async function merged(
  copy: TableCopy,
  options: {
    session: Session;
    program: string;
    why: string | undefined;
    yes: boolean;
    onNotice: (notice: StoreNotice) => void;
  },
): Promise<TableMerge> {
  const { printer } = options.session;
  for (;;) {
    try {
      await confirmRemovals(copy, options.yes);
      return await copy.merge({ via: 'command', why: options.why, onNotice: options.onNotice });
    } catch (error) {
      const isMistake = isFailure(error, 'corrupt_file') && error.context.file === copy.file;
      if (!isMistake || !process.stdin.isTTY || !process.stderr.isTTY) throw error;
      printer.error(`${error.message}${error.fix === null ? '' : `\n${wayOut(error.fix)}`}`);
      if (!(await confirm('Edit it again?', false))) throw error;
      await edited(copy, options.program);
    }
  }
}

/**
 * Asks before more than half of the rows are removed; a save by hand that does so is not applied either.
 *
 * @throws Failure usage, interrupted
 */
async function confirmRemovals(copy: TableCopy, yes: boolean): Promise<void> {
  const { rows, of } = copy.removed();
  if (rows * 2 <= of || (await confirm(`Remove ${rows} of ${count(of, 'row')}?`, yes))) return;
  throw new Failure('interrupted', 'nothing changed: the copy lacks most of the rows');
}

function withCopy(failure: Failure, copy: TableCopy, command: string): Failure {
  const { code, message, fix, context } = failure;
  const hint = fix === null ? '' : `${wayOut(fix)}\n`;
  return new Failure(code, message, {
    fix: `${hint}your copy is kept; continue with: ${command} --resume ${copy.file}`,
    context,
    cause: failure,
  });
}

/** @throws Failure usage: no editor is named, and there is no terminal for vi */
function editorOf({ env }: Session, given: string | undefined): string {
  const found = [given, env.VISUAL, env.EDITOR].find((program) => (program ?? '').trim() !== '');
  if (found !== undefined) return found;
  if (process.stdin.isTTY) return 'vi';
  throw new Failure('usage', 'no editor is named, and there is no terminal', {
    fix: 'name one with --with PROGRAM, $VISUAL or $EDITOR',
  });
}

/**
 * Runs the editor, as git does: with a shell only if the command line needs one.
 *
 * @returns whether it returned too soon for a user to have done anything
 * @throws Failure usage: it cannot be run or exits with an error; interrupted: Ctrl-C ended it
 */
async function edited(copy: TableCopy, program: string): Promise<boolean> {
  const from = performance.now();
  // While the editor runs, Ctrl-C is for the editor.
  const ignore = (): void => undefined;
  process.on('SIGINT', ignore);
  const { code, signal } = await run(program, copy.file).finally(() => process.off('SIGINT', ignore));
  if (NOT_RUN.has(code ?? 0)) {
    throw new Failure('usage', `the editor ${JSON.stringify(program)} cannot be run`, {
      fix: 'name another with --with PROGRAM, $VISUAL or $EDITOR',
    });
  }
  if (signal === 'SIGINT' || code === 130) {
    throw new Failure(
      'interrupted',
      `the editor ${JSON.stringify(program)} was interrupted; nothing changed`,
    );
  }
  if (code !== 0) {
    const end = signal === null ? `exited with ${code ?? 'no code'}` : `was ended by ${signal}`;
    throw new Failure('usage', `the editor ${JSON.stringify(program)} ${end}; nothing changed`, {
      fix: 'exit it without an error to apply its changes, or name another with --with PROGRAM, $VISUAL or $EDITOR',
    });
  }
  return performance.now() - from < AT_ONCE_MS;
}

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
}

/** @returns how the program ended; code 127, as from a shell, if it does not exist */
async function run(program: string, file: string): Promise<Ended> {
  const [first = '', ...flags] = program.trim().split(/\s+/);
  const [command, args] = FOR_SHELL.test(program)
    ? ['sh', ['-c', `${program} "$@"`, program, file]]
    : [first, [...flags, file]];
  return new Promise<Ended>((resolve) => {
    const child = spawn(command, args, {
      // If stdout is not a terminal, it is for data only.
      stdio: ['inherit', process.stdout.isTTY ? 'inherit' : 2, 'inherit'],
    });
    child.on('error', () => resolve({ code: 127, signal: null }));
    child.on('close', (code, signal) => resolve({ code, signal }));
  });
}

function keptAside(access: StoreAccess, table: EditedTable): readonly string[] {
  return access
    .keptAside()
    .map(({ file }) => file)
    .filter((file) => path.basename(file).startsWith(`${table}.csv`));
}

const NO_CHANGE: TableMerge = {
  added: 0,
  changed: 0,
  removed: 0,
  edits: [],
  isRearranged: false,
  clamped: [],
};
