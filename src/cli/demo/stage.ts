import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../domain/failure.ts';
import { PACKAGE_ROOT } from '../hints.ts';
import type { Printer } from '../output/printer.ts';

const WAIT_LIMIT_MS = 30_000;
const CHECK_EVERY_MS = 20;

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
}

/** An orderctl that runs in the background. */
export interface Player {
  readonly pid: number;
  readonly stderr: () => string;
  readonly signal: (signal: NodeJS.Signals) => void;
  readonly ended: Promise<Ended>;
}

/**
 * A temporary folder, in which the real program runs as child processes. Folder and children are removed when this
 * process ends, unless SIGKILL ends it.
 */
export class Stage {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'orderctl-demo-')));
  readonly #printer: Printer;
  readonly #abort: AbortSignal;
  readonly #children = new Set<ChildProcess>();
  #isKept = false;

  constructor(printer: Printer, abort: AbortSignal) {
    this.#printer = printer;
    this.#abort = abort;
    abort.addEventListener('abort', () => this.#killAll());
    process.on('exit', () => {
      this.#killAll();
      // A child that was just killed may still be writing.
      if (!this.#isKept) rmSync(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    });
  }

  /** Keeps the folder, to find out what went wrong. */
  keep(): void {
    this.#isKept = true;
  }

  /** Writes the settings of all commands to orderctl.json, so that the commands shown need no flags. */
  useSettings(settings: object): void {
    writeFileSync(join(this.folder, 'orderctl.json'), `${JSON.stringify(settings, null, 2)}\n`);
  }

  title(text: string): void {
    this.#printer.info(`\n${this.#printer.messageColours.bold(text)}`);
  }

  command(line: string): void {
    this.#printer.info(`  ${this.#printer.messageColours.cyan(`$ ${line}`)}`);
  }

  output(text: string): void {
    const lines = text.trimEnd().split('\n');
    this.#printer.info(lines.map((line) => `    ${this.#printer.messageColours.dim(line)}`).join('\n'));
  }

  /** @returns the text of a file in the folder; empty if it does not exist yet */
  read(file: string): string {
    try {
      return readFileSync(join(this.folder, file), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
      throw error;
    }
  }

  /**
   * Shows a command, runs it, and shows its output.
   *
   * @param toFile a file for its output, which is then not shown
   * @returns the output
   * @throws Failure check_failed: its exit code is not 0
   */
  async run(args: string, { toFile }: { toFile?: string } = {}): Promise<string> {
    const player = this.#shown(args, toFile, '');
    const { code, stdout } = await player.ended;
    this.#checkNotAborted();
    if (code !== 0) throw endedBadly(args, code, player.stderr());
    if (toFile !== undefined) return this.read(toFile);
    if (stdout !== '') this.output(stdout);
    return stdout;
  }

  /** Shows a command and starts it in the background. @param toFile a file for its stdout */
  start(args: string, toFile?: string): Player {
    return this.#shown(args, toFile, ' &');
  }

  #shown(args: string, toFile: string | undefined, end: string): Player {
    this.command(`orderctl ${args}${toFile === undefined ? '' : ` > ${toFile}`}${end}`);
    if (toFile === undefined) return this.#spawn(args, 'pipe');
    const fd = openSync(join(this.folder, toFile), 'w');
    try {
      return this.#spawn(args, fd);
    } finally {
      closeSync(fd);
    }
  }

  /** Waits until `holds`. @throws Failure check_failed: it takes too long, or one of `players` ends; interrupted */
  async until(what: string, holds: () => boolean, players: readonly Player[]): Promise<void> {
    let endCode: number | null | undefined;
    for (const player of players) void player.ended.then(({ code }) => (endCode = code));
    const deadline = performance.now() + WAIT_LIMIT_MS;
    while (!holds()) {
      this.#checkNotAborted();
      const stderr = players.map((player) => player.stderr()).join('');
      if (endCode !== undefined) throw endedBadly(`(while waiting for ${what})`, endCode, stderr);
      if (performance.now() > deadline) {
        throw failed(
          `waited ${WAIT_LIMIT_MS / 1000} s for ${what}, which did not happen: ${lastLines(stderr)}`,
        );
      }
      await sleep(CHECK_EVERY_MS);
    }
  }

  #spawn(args: string, stdout: 'pipe' | number): Player {
    this.#checkNotAborted();
    const child = spawn(process.execPath, [join(PACKAGE_ROOT, 'bin/orderctl'), ...args.split(' ')], {
      cwd: this.folder,
      env: environment(),
      stdio: ['ignore', stdout, 'pipe'],
    });
    this.#children.add(child);
    let out = '';
    let err = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (err += text));
    const ended = new Promise<Ended>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => {
        this.#children.delete(child);
        resolve({ code, stdout: out });
      });
    });
    return { pid: child.pid ?? 0, stderr: () => err, signal: (name) => void child.kill(name), ended };
  }

  #killAll(): void {
    for (const child of this.#children) child.kill('SIGKILL');
  }

  #checkNotAborted(): void {
    if (!this.#abort.aborted) return;
    throw new Failure('interrupted', 'the demo was interrupted', {
      fix: 'run it again: it starts from scratch',
    });
  }
}

/** The environment of this process, without variables that would change how the shown commands behave. */
function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('ORDERCTL_') && name !== 'FORCE_COLOR',
  );
  return Object.fromEntries(kept);
}

function endedBadly(args: string, code: number | null, stderr: string): Failure {
  const end = code === null ? 'was killed' : `exited with ${code}`;
  return failed(`orderctl ${args} ${end}: ${lastLines(stderr)}`);
}

function failed(message: string): Failure {
  return new Failure('check_failed', message, {
    fix: 'run it again; if it fails again, report what it printed',
  });
}

function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-5).join('\n');
}
