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

/** What makes a command line one for the shell; the list of git (run-command.c). */
const FOR_SHELL = /[|&;<>()$`\\"'*?[#~=%]/;
/** What a shell ends with when there is no such program, or it may not be run. */
const NOT_RUN = new Set([126, 127]);
/** A program that returns sooner has not waited for the user. */
const AT_ONCE_MS = 1_000;

/** One `user edit` or `inventory edit`. */
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
  if (aside.length > 0) printer.info(`kept aside, to be looked at: ${aside.join(', ')}`);
  let isBrokenSaid = false;
  const onNotice = (notice: StoreNotice): void => {
    const isRepeated = notice.kind === 'file_broken' && isBrokenSaid;
    isBrokenSaid ||= notice.kind === 'file_broken';
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
      printer.info(`${program} came back at once: an editor that does not wait needs its flag for it`);
    }
    if (aside.length > 0 && settled.length === 0) {
      printer.info(
        `still kept aside: ${aside.join(', ')}; make its changes with --settled, which then removes it, or remove it`,
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

/** Merges; while there is a mistake in the copy, the user is asked to mend it. */
async function merged(
  copy: TableCopy,
  how: {
    session: Session;
    program: string;
    why: string | undefined;
    yes: boolean;
    onNotice: (notice: StoreNotice) => void;
  },
): Promise<TableMerge> {
  const { printer } = how.session;
  for (;;) {
    try {
      await confirmRemovals(copy, how.yes);
      return await copy.merge({ via: 'command', why: how.why, onNotice: how.onNotice });
    } catch (error) {
      const isMistake = isFailure(error, 'corrupt_file') && error.context.file === copy.file;
      if (!isMistake || !process.stdin.isTTY || !process.stderr.isTTY) throw error;
      printer.error(`${error.message}${error.fix === null ? '' : `\n${wayOut(error.fix)}`}`);
      if (!(await confirm('Edit it again?', false))) throw error;
      await edited(copy, how.program);
    }
  }
}

/** As a save by hand that has lost more than half of the rows changes nothing. @throws Failure usage, interrupted */
async function confirmRemovals(copy: TableCopy, yes: boolean): Promise<void> {
  const { rows, of } = copy.removed();
  if (rows * 2 <= of || (await confirm(`Remove ${rows} of ${count(of, 'row')}?`, yes))) return;
  throw new Failure('interrupted', 'nothing changed: most rows are gone from the copy');
}

function withCopy(failure: Failure, copy: TableCopy, command: string): Failure {
  const { code, message, fix, context } = failure;
  const how = fix === null ? '' : `${wayOut(fix)}\n`;
  return new Failure(code, message, {
    fix: `${how}your copy is kept; continue with: ${command} --resume ${copy.file}`,
    context,
    cause: failure,
  });
}

/** @throws Failure usage when there is none */
function editorOf({ env }: Session, given: string | undefined): string {
  const found = [given, env.VISUAL, env.EDITOR].find((program) => (program ?? '').trim() !== '');
  if (found !== undefined) return found;
  if (process.stdin.isTTY) return 'vi';
  throw new Failure('usage', 'there is no terminal, and no editor is named', {
    fix: 'name one by --with PROGRAM, $VISUAL or $EDITOR',
  });
}

/**
 * Runs the editor, as git does: by the shell only where the command line needs one.
 *
 * @returns whether it came back too soon for a user to have done anything
 * @throws Failure usage when it cannot be run or ends with an error, interrupted when Ctrl-C ended it
 */
async function edited(copy: TableCopy, program: string): Promise<boolean> {
  const from = performance.now();
  // Ctrl-C is the editor's while it runs.
  const ignore = (): void => undefined;
  process.on('SIGINT', ignore);
  const { code, signal } = await run(program, copy.file).finally(() => process.off('SIGINT', ignore));
  if (NOT_RUN.has(code ?? 0)) {
    throw new Failure('usage', `the editor ${JSON.stringify(program)} cannot be run`, {
      fix: 'name another by --with PROGRAM, $VISUAL or $EDITOR',
    });
  }
  if (signal === 'SIGINT' || code === 130) {
    throw new Failure(
      'interrupted',
      `the editor ${JSON.stringify(program)} was interrupted; nothing changed`,
    );
  }
  if (code !== 0) {
    const how = signal === null ? `with ${code ?? 'nothing'}` : `by ${signal}`;
    throw new Failure('usage', `the editor ${JSON.stringify(program)} ended ${how}; nothing changed`, {
      fix: 'leave it without an error for its changes to count, or name another by --with PROGRAM, $VISUAL or $EDITOR',
    });
  }
  return performance.now() - from < AT_ONCE_MS;
}

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
}

/** @returns how it ended; as of a shell where there is no such program */
async function run(program: string, file: string): Promise<Ended> {
  const [first = '', ...flags] = program.trim().split(/\s+/);
  const [command, args] = FOR_SHELL.test(program)
    ? ['sh', ['-c', `${program} "$@"`, program, file]]
    : [first, [...flags, file]];
  return new Promise<Ended>((resolve) => {
    const child = spawn(command, args, {
      // Where stdout is not a terminal, only data goes there.
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
